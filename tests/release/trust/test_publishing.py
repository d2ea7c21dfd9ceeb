from __future__ import annotations

import pytest

from edgeworthy.errors import TrustError, UsageError, VerificationError
from edgeworthy.files import digest_file
from edgeworthy.release.signers import CryptoSigner
from edgeworthy.release.trust import assign_release, repository_status, withdraw_release
from release.trust.workshop import ONLINE, PRODUCT, Workshop


def audiences(workshop: Workshop) -> dict[int, tuple[str, ...]]:
    status = repository_status(workshop.ceremony())
    return {each.release_counter: each.audiences for each in status.publications}


def test_each_publication_gets_the_next_counter_and_its_rings(workshop: Workshop) -> None:
    first, _ = workshop.publish("1.0.0", "rings/stable", "rings/early")
    second, _ = workshop.publish("1.1.0", "rings/early")
    assert (first.release_counter, second.release_counter) == (1, 2)
    assert audiences(workshop) == {1: ("rings/stable",), 2: ("rings/early",)}


def test_every_blob_lies_under_its_digest_and_shared_ones_once(workshop: Workshop) -> None:
    first, _ = workshop.publish("1.0.0")
    second, _ = workshop.publish("1.1.0")
    folder = workshop.repository / "blobs" / "sha256"
    names = {path.name for path in folder.iterdir()}
    named = {blob.digest.removeprefix("sha256:") for blob in (*first.blobs, *second.blobs)}
    assert names == named
    assert len(names) < len(first.blobs) + len(second.blobs)
    assert all(digest_file(folder / name) == f"sha256:{name}" for name in names)
    assert first.size_bytes == sum(
        (folder / each.digest[7:]).stat().st_size for each in first.blobs
    )


def test_publishing_again_what_is_offered_changes_nothing(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    again, outcome = workshop.publish("1.0.0")
    assert (again.release_counter, dict(outcome.versions)) == (1, {})


def test_an_older_version_needs_a_reason_and_gets_a_higher_counter(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    with pytest.raises(UsageError, match="--rollback REASON"):
        workshop.publish("1.0.0")
    rolled_back, _ = workshop.publish("1.0.0", rollback="1.1.0 confuses yes and no")
    assert rolled_back.release_counter == 3
    assert rolled_back.rollback_reason == "1.1.0 confuses yes and no"


def test_a_rollback_to_what_was_never_published_is_refused(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="never published"):
        workshop.publish("1.0.0", rollback="a reason")


def test_a_release_signed_by_a_stranger_is_never_offered(workshop: Workshop) -> None:
    workshop.release_signer = CryptoSigner.generate_ed25519()
    with pytest.raises(VerificationError, match="not accepted"):
        workshop.publish("1.0.0")
    assert not (workshop.repository / "blobs").exists()


def test_a_product_without_a_role_is_refused(workshop: Workshop) -> None:
    with pytest.raises(TrustError, match="no role `product-unknown`"):
        assign_release(workshop.ceremony(), "unknown", 1, ["rings/stable"])


def test_a_stolen_server_cannot_publish_but_can_assign(workshop: Workshop) -> None:
    workshop.publish("1.0.0", "rings/stable")
    workshop.publish("1.1.0")
    away = set(workshop.signers) - set(ONLINE)
    _, outcome = workshop.publish("1.2.0", without=away)
    assert outcome.missing == {"product-keywords": 1}
    assert len(audiences(workshop)) == 2
    assert assign_release(workshop.ceremony(only=ONLINE), PRODUCT, 2, ["devices/d1"]).published
    assert audiences(workshop) == {1: ("rings/stable",), 2: ("devices/d1",)}


def test_only_what_was_published_can_be_assigned(workshop: Workshop) -> None:
    with pytest.raises(UsageError, match="no publication 7"):
        assign_release(workshop.ceremony(), PRODUCT, 7, ["rings/stable"])
    workshop.publish("1.0.0")
    with pytest.raises(Exception, match="not an audience"):
        assign_release(workshop.ceremony(), PRODUCT, 1, ["everybody"])


def test_a_document_that_was_changed_in_the_repository_is_noticed(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    (document,) = (workshop.repository / "targets/products/keywords").iterdir()
    document.write_bytes(b"{}")
    with pytest.raises(TrustError, match="was changed"):
        workshop.publish("1.1.0")
    document.unlink()
    with pytest.raises(TrustError, match="is missing"):
        repository_status(workshop.ceremony())


def test_a_damaged_blob_in_the_repository_is_replaced(workshop: Workshop) -> None:
    release, _ = workshop.publish("1.0.0")
    blob = workshop.repository / "blobs" / "sha256" / release.blobs[0].digest[7:]
    blob.write_bytes(b"rotten")
    workshop.publish("1.0.0")
    assert digest_file(blob) == release.blobs[0].digest


def test_a_withdrawn_publication_is_gone_and_its_counter_is_not_used_again(
    workshop: Workshop,
) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    withdraw_release(workshop.ceremony(), PRODUCT, 2)
    assert audiences(workshop) == {1: ()}
    with pytest.raises(UsageError, match="no publication 2"):
        withdraw_release(workshop.ceremony(), PRODUCT, 2)
    third, _ = workshop.publish("1.2.0")
    assert third.release_counter == 3
