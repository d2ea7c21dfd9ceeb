from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.errors import SigningKeyError, TrustError, UsageError
from edgeworthy.release.trust import (
    TrustSettings,
    delegate_product,
    init_repository,
    publish_policy,
    refresh_repository,
    repository_status,
    revoke_key,
    rotate_role,
    sign_staged,
)
from edgeworthy.release.trust.settings import Lifetimes
from release.trust.workshop import ONLINE, PRODUCT, ROLES, Workshop


def signers_of(workshop: Workshop, name: str) -> set[str]:
    """Names of the keys that signed a file of the repository."""
    data = json.loads((workshop.repository / "metadata" / name).read_text())
    known = {signer.public_key.keyid: each for each, signer in workshop.signers.items()}
    return {known[each["keyid"]] for each in data["signatures"]}


def test_a_new_repository_has_every_role_signed_by_its_own_keys(workshop: Workshop) -> None:
    status = repository_status(workshop.ceremony())
    assert {each.role: (each.threshold, each.keys) for each in status.roles} == {
        "root": (2, ("root.1", "root.2", "root.3")),
        "timestamp": (1, ("timestamp",)),
        "snapshot": (1, ("snapshot",)),
        "targets": (1, ("targets",)),
        "director": (1, ("director",)),
        "product-keywords": (1, ("product-keywords",)),
    }
    assert not any(each.expired for each in status.roles)
    assert signers_of(workshop, "timestamp.json") == {"timestamp"}


def test_a_root_of_which_two_of_three_keys_are_elsewhere_waits_for_one_of_them(
    tmp_path: Path,
) -> None:
    workshop = Workshop(tmp_path)
    outcome = workshop.init(without=("root.2", "root.3"))
    assert outcome.missing == {"root": 1}
    assert not (workshop.repository / "metadata").exists()
    assert not (tmp_path / "keys" / "trusted-root.json").exists()
    assert sign_staged(workshop.ceremony(only=("root.3", *ONLINE))).published
    assert signers_of(workshop, "1.root.json") == {"root.1", "root.3"}
    assert not list((workshop.repository / "staged").iterdir())


def test_an_offline_holder_signs_and_the_online_machine_publishes(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.init(without=("root.1", "root.2", "root.3", *ONLINE))
    assert sign_staged(workshop.ceremony(only=("root.1",))).missing["root"] == 1
    only_online_is_missing = sign_staged(workshop.ceremony(only=("root.2",))).missing
    assert only_online_is_missing == {"director": 1, "snapshot": 1, "timestamp": 1}
    assert sign_staged(workshop.ceremony(only=ONLINE)).published


def test_nothing_to_sign_is_an_error_with_its_reason(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="nothing waits"):
        sign_staged(workshop.ceremony())


def test_a_repository_is_begun_once(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="already"):
        init_repository(workshop.ceremony(), [PRODUCT], TrustSettings())


@pytest.mark.parametrize(
    ("settings", "role"),
    [(TrustSettings(root_threshold=4), "root"), (TrustSettings(targets_threshold=2), "targets")],
)
def test_a_threshold_above_the_number_of_keys_is_refused(
    tmp_path: Path, settings: TrustSettings, role: str
) -> None:
    workshop = Workshop(tmp_path)
    for name in ROLES:
        workshop.add_key(name)
    with pytest.raises(UsageError, match=f"the role {role} has too few keys"):
        init_repository(workshop.ceremony(), [], settings)


def test_no_key_serves_an_offline_and_an_online_role(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    for name in ROLES:
        workshop.add_key(name)
    workshop.signers["timestamp"] = workshop.signers["targets"]
    with pytest.raises(UsageError, match="both an offline and an online role"):
        init_repository(workshop.ceremony(), [], TrustSettings())


def test_the_director_never_gets_a_product_key(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="both an offline and an online role"):
        rotate_role(workshop.ceremony(), "director", [workshop.key(f"product-{PRODUCT}")])


def test_a_product_is_added_with_keys_of_its_own(workshop: Workshop) -> None:
    workshop.add_key("product-gestures")
    assert delegate_product(workshop.ceremony(), "gestures").versions["targets"] == 2
    assert signers_of(workshop, "1.product-gestures.json") == {"product-gestures"}
    with pytest.raises(UsageError, match="exists"):
        delegate_product(workshop.ceremony(), "gestures")


def test_a_product_whose_name_is_a_path_is_refused(workshop: Workshop) -> None:
    with pytest.raises(Exception, match="cannot be part of a path"):
        delegate_product(workshop.ceremony(), "../keywords")


def test_roles_are_renewed_before_they_expire(workshop: Workshop) -> None:
    workshop.later(days=6)
    assert set(refresh_repository(workshop.ceremony(only=ONLINE)).versions) == {
        "snapshot",
        "timestamp",
    }
    workshop.later(days=300)
    outcome = refresh_repository(workshop.ceremony(), ["root", "targets", "product-keywords"])
    assert outcome.versions["root"] == 2
    status = repository_status(workshop.ceremony())
    assert {each.role for each in status.roles if each.expired} == {"director"}


def test_what_a_device_would_refuse_is_never_published(workshop: Workshop) -> None:
    before = sorted((workshop.repository / "metadata").iterdir())
    workshop.later(days=400)
    with pytest.raises(TrustError, match=r"targets is expired.*trust refresh"):
        refresh_repository(workshop.ceremony(only=ONLINE))
    assert sorted((workshop.repository / "metadata").iterdir()) == before


def test_lifetimes_travel_in_the_root(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.init(lifetimes=Lifetimes(timestamp=90, snapshot=90))
    workshop.later(days=80)
    refresh_repository(workshop.ceremony(), ["director"])
    status = repository_status(workshop.ceremony())
    (timestamp,) = (each for each in status.roles if each.role == "timestamp")
    assert timestamp.expires_at == "2026-11-18T12:00:00+00:00"


def test_a_rotation_that_is_waiting_blocks_a_second_one(workshop: Workshop) -> None:
    keys = [workshop.key("root.1"), workshop.key("root.2"), workshop.add_key("root.4")]
    assert rotate_role(workshop.ceremony(only=("root.1", *ONLINE)), "root", keys).missing
    with pytest.raises(TrustError, match="another change waits"):
        revoke_key(workshop.ceremony(), workshop.key("root.1").keyid)
    assert repository_status(workshop.ceremony()).waiting == ("root",)
    assert sign_staged(workshop.ceremony(only=("root.2", *ONLINE))).versions["root"] == 2


def test_a_key_is_taken_away_from_every_role_that_has_it(workshop: Workshop) -> None:
    workshop.add_key("product-gestures")
    second = workshop.add_key("product-gestures.2")
    delegate_product(workshop.ceremony(), "gestures")
    outcome = revoke_key(workshop.ceremony(), second.keyid[:12])
    assert set(outcome.versions) == {"targets", "product-gestures", "snapshot", "timestamp"}
    with pytest.raises(UsageError, match="no role has this key"):
        revoke_key(workshop.ceremony(), second.keyid)
    with pytest.raises(UsageError, match="too few keys"):
        revoke_key(workshop.ceremony(), workshop.key("timestamp").keyid)


def test_a_policy_is_vouched_for_by_the_offline_targets_keys(workshop: Workshop) -> None:
    policy = DevicePolicy(
        name="gateways", products=(PRODUCT,), instruction_sets=("x86-vnni",), signers=()
    )
    assert publish_policy(workshop.ceremony(only=ONLINE), policy).missing == {"targets": 1}
    assert sign_staged(workshop.ceremony()).published
    assert repository_status(workshop.ceremony()).policies == ("gateways",)


def test_a_repository_without_the_pinned_root_is_not_believed(workshop: Workshop) -> None:
    (workshop.folder / "keys" / "trusted-root.json").unlink()
    with pytest.raises(SigningKeyError, match="is not here"):
        refresh_repository(workshop.ceremony())


def test_a_repository_that_somebody_else_wrote_is_not_signed(
    workshop: Workshop, tmp_path: Path
) -> None:
    attacker = Workshop(tmp_path / "attacker")
    attacker.folder.mkdir()
    attacker.init()
    stolen = attacker.repository / "metadata"
    for path in stolen.iterdir():
        (workshop.repository / "metadata" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(TrustError, match="nothing was signed"):
        workshop.publish("1.0.0")


def test_no_repository_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    with pytest.raises(TrustError, match="edgeworthy trust init"):
        refresh_repository(workshop.ceremony())
