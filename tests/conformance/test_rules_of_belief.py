"""The groups of the public tuf-conformance suite, held against the agent's updater."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.simulator import NOW, Client, Simulator
from edgeworthy.errors import TransferError, TrustError
from edgeworthy.release.signers import CryptoSigner

TRUST = "EW620"
STALE = "EW630"
TRANSFER = "EW340"
FRESH = {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}


# --- basics ----------------------------------------------------------------------------------


def test_a_first_look_asks_for_each_role_once(client: Client, simulator: Simulator) -> None:
    simulator.source.requests.clear()
    assert client.refused() == ""
    assert client.versions() == FRESH
    assert simulator.source.requests == [
        "metadata/2.root.json",
        "metadata/timestamp.json",
        "metadata/1.snapshot.json",
        "metadata/1.targets.json",
    ]


def test_a_second_look_asks_only_what_could_be_new(client: Client, simulator: Simulator) -> None:
    client.refused()
    simulator.source.requests.clear()
    assert client.refused() == ""
    assert simulator.source.requests == ["metadata/2.root.json", "metadata/timestamp.json"]


@pytest.mark.parametrize("damage", ["no version", "wrong signature", "not json", "missing"])
def test_without_a_valid_first_root_nothing_is_asked(
    client: Client, simulator: Simulator, damage: str
) -> None:
    path = client.folder / "metadata" / "root.json"
    root = json.loads(path.read_text())
    if damage == "no version":
        del root["signed"]["version"]
    root["signatures"][0]["sig"] = "00" * 64
    path.write_text("{" if damage == "not json" else json.dumps(root))
    if damage == "missing":
        path.unlink()
    simulator.source.requests.clear()
    assert client.refused() == TRUST
    assert simulator.source.requests == []


def test_unknown_fields_are_signed_and_accepted(client: Client, simulator: Simulator) -> None:
    simulator.root.unrecognized_fields["custom"] = {"a": 1}
    simulator.next_root()
    assert client.refused() == ""
    assert client.versions()["root"] == 2


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_role_signed_by_a_stranger_is_refused(
    client: Client, simulator: Simulator, role: str
) -> None:
    simulator.signers[role] = [CryptoSigner.generate_ed25519()]
    simulator.publish()
    assert client.refused() == TRUST
    assert role not in client.versions()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_unsigned_role_is_refused(client: Client, simulator: Simulator, role: str) -> None:
    simulator.signers[role] = []
    simulator.publish()
    assert client.refused() == TRUST


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>Please sign in</html>", b"\xff\xfe"])
def test_a_body_that_is_no_metadata_is_refused(
    client: Client, simulator: Simulator, body: bytes
) -> None:
    simulator.source.files["metadata/timestamp.json"] = body
    assert client.refused() == TRUST


@pytest.mark.parametrize(
    ("name", "limit"),
    [("timestamp", 16_384), ("2.root", 512_000), ("1.snapshot", 2_000_000)],
)
def test_metadata_without_end_are_refused(
    client: Client, simulator: Simulator, name: str, limit: int
) -> None:
    simulator.source.files[f"metadata/{name}.json"] = b" " * (limit + 1)
    assert client.refused() == TRANSFER


def test_another_role_in_the_place_of_one_is_refused(client: Client, simulator: Simulator) -> None:
    files = simulator.source.files
    files["metadata/timestamp.json"] = files["metadata/1.snapshot.json"]
    assert client.refused() == TRUST


# --- expiry ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_what_has_expired_is_stale_and_not_forged(
    client: Client, simulator: Simulator, role: str
) -> None:
    past = NOW - timedelta(seconds=1)
    if role == "root":
        simulator.root.expires = past
        simulator.next_root()
    elif role == "targets":
        simulator.targets[role].expires = past
    else:
        vars(simulator)[role].expires = past
    simulator.bump()
    assert client.refused() == STALE


def test_an_expired_root_on_the_way_does_not_matter(client: Client, simulator: Simulator) -> None:
    simulator.root.expires = NOW - timedelta(days=1)
    simulator.next_root()
    simulator.root.expires = NOW + timedelta(days=1)
    simulator.next_root()
    assert client.refused() == ""
    assert client.versions()["root"] == 3


def test_old_metadata_that_are_held_back_are_noticed_when_they_expire(client: Client) -> None:
    assert client.refused() == ""
    client.now += timedelta(days=31)
    assert client.refused() == STALE


def test_an_expired_stored_timestamp_still_protects_against_rollback(
    client: Client, simulator: Simulator
) -> None:
    simulator.bump()
    client.refused()
    client.now += timedelta(days=31)
    later = client.now + timedelta(days=30)
    for role in (simulator.root, simulator.timestamp, simulator.snapshot):
        role.expires = later
    simulator.targets["targets"].expires = later
    simulator.next_root()
    simulator.timestamp.version = 1
    simulator.publish()
    assert client.refused() == TRUST
    simulator.timestamp.version = 3
    simulator.publish_timestamp()
    assert client.versions()["timestamp"] == 2


# --- rollback and fast-forward ---------------------------------------------------------------


def test_an_older_timestamp_is_refused(client: Client, simulator: Simulator) -> None:
    simulator.timestamp.version = 5
    simulator.publish()
    client.refused()
    simulator.timestamp.version = 4
    simulator.publish()
    assert client.refused() == TRUST
    assert client.versions()["timestamp"] == 5


def test_the_same_timestamp_with_another_content_is_not_taken(
    client: Client, simulator: Simulator
) -> None:
    client.refused()
    simulator.timestamp.snapshot_meta.version = 100
    simulator.publish_timestamp()
    assert client.refused() == ""
    assert client.versions() == FRESH


def test_an_older_snapshot_is_refused(client: Client, simulator: Simulator) -> None:
    simulator.snapshot.version = 5
    simulator.publish()
    client.refused()
    simulator.snapshot.version = 4
    simulator.timestamp.version += 1
    simulator.publish()
    assert client.refused() == TRUST


def test_a_snapshot_with_older_targets_is_refused(client: Client, simulator: Simulator) -> None:
    simulator.bump("targets")
    client.refused()
    simulator.targets["targets"].version = 1
    simulator.bump()
    assert client.refused() == TRUST
    assert client.versions()["targets"] == 2


def test_a_snapshot_that_forgets_a_role_is_refused(client: Client, simulator: Simulator) -> None:
    simulator.delegate("targets", "a", ["*"])
    simulator.bump("targets")
    client.refused()
    del simulator.targets["a"]
    del simulator.snapshot.meta["a.json"]
    simulator.bump()
    assert client.refused() == TRUST


def test_a_role_of_another_version_than_named_is_refused(
    client: Client, simulator: Simulator
) -> None:
    client.refused()
    simulator.bump("targets")
    files = simulator.source.files
    files["metadata/2.targets.json"] = files["metadata/1.targets.json"]
    assert client.refused() == TRUST
    assert client.versions()["targets"] == 1


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_versions_that_a_thief_made_very_high_are_forgotten_with_his_key(
    client: Client, simulator: Simulator, role: str
) -> None:
    vars(simulator)[role].version = 99_999
    if role == "snapshot":
        simulator.timestamp.version += 1
    simulator.publish()
    assert client.refused() == ""
    vars(simulator)[role].version = 2
    simulator.timestamp.version += 1 if role == "snapshot" else 0
    assert client.refused() in {"", TRUST}
    for each in ("timestamp", "snapshot"):
        simulator.rotate(each)
    simulator.next_root()
    simulator.publish()
    assert client.refused() == ""
    assert client.versions()[role] == 2


# --- keys, thresholds ------------------------------------------------------------------------


def test_a_threshold_of_two_wants_two_different_keys(client: Client, simulator: Simulator) -> None:
    simulator.root.roles["timestamp"].threshold = 2
    simulator.next_root()
    assert client.refused() == TRUST
    simulator.add_key("timestamp")
    simulator.next_root()
    simulator.publish()
    assert client.refused() == ""


def test_one_key_named_twice_does_not_reach_a_threshold(
    client: Client, simulator: Simulator
) -> None:
    simulator.root.roles["timestamp"].threshold = 2
    simulator.next_root()
    data = json.loads(simulator.source.files["metadata/2.root.json"])
    key_ids = data["signed"]["roles"]["timestamp"]["keyids"]
    key_ids.append(key_ids[0])
    simulator.source.files["metadata/2.root.json"] = json.dumps(data).encode()
    assert client.refused() == TRUST


def test_one_signature_given_twice_is_refused(client: Client, simulator: Simulator) -> None:
    data = json.loads(simulator.source.files["metadata/timestamp.json"])
    data["signatures"] *= 2
    simulator.source.files["metadata/timestamp.json"] = json.dumps(data).encode()
    assert client.refused() == TRUST


def test_the_same_key_under_two_ids_does_not_reach_a_threshold(
    client: Client, simulator: Simulator
) -> None:
    simulator.root.roles["timestamp"].threshold = 2
    signer = simulator.signers["timestamp"][0]
    twin = CryptoSigner.generate_ed25519()
    twin_key = twin.public_key
    twin_key.keyval = dict(signer.public_key.keyval)
    simulator.root.add_key(twin_key, "timestamp")
    simulator.next_root()
    simulator.publish()
    assert client.refused() == TRUST


@pytest.mark.parametrize(("signed_by", "expected"), [("old and new", ""), ("new", TRUST)])
def test_a_root_must_be_signed_by_old_and_new_keys(
    client: Client, simulator: Simulator, signed_by: str, expected: str
) -> None:
    old = list(simulator.signers["root"])
    simulator.rotate("root")
    simulator.next_root(also_by=old if "old" in signed_by else ())
    assert client.refused() == expected


def test_a_root_that_skips_a_version_is_refused(client: Client, simulator: Simulator) -> None:
    simulator.next_root()
    files = simulator.source.files
    simulator.next_root()
    files["metadata/2.root.json"] = files["metadata/3.root.json"]
    assert client.refused() == TRUST
    assert client.versions()["root"] == 1


def test_256_roots_are_walked_in_one_look_and_more_in_the_next(
    client: Client, simulator: Simulator
) -> None:
    for _ in range(260):
        old = list(simulator.signers["root"])
        simulator.rotate("root")
        simulator.next_root(also_by=old)
    assert client.refused() == ""
    assert client.versions()["root"] == 257
    assert client.refused() == ""
    assert client.versions()["root"] == 261


def test_roots_that_were_believed_are_kept_when_a_later_one_is_refused(
    client: Client, simulator: Simulator
) -> None:
    for _ in range(20):
        simulator.next_root()
    simulator.rotate("root")
    simulator.next_root()
    assert client.refused() == TRUST
    assert client.versions()["root"] == 21


# --- hashes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1.snapshot", "1.targets"])
def test_bytes_that_are_not_those_that_were_named_are_refused(
    client: Client, simulator: Simulator, name: str
) -> None:
    simulator.describe_fully = True
    simulator.bump()
    name = name.replace("1.snapshot", "2.snapshot")
    simulator.source.files[f"metadata/{name}.json"] += b" "
    assert client.refused() in {TRUST, TRANSFER}


def test_a_target_file_is_proven(client: Client, simulator: Simulator) -> None:
    simulator.add_file("targets", "folder/file", b"right")
    simulator.bump("targets")
    assert client.download("folder/file") == b"right"
    place = next(name for name in simulator.source.files if name.endswith(".file"))
    simulator.source.files[place] = b"wrong"
    with pytest.raises(TrustError):
        client.download("folder/file")
    simulator.source.files[place] = b"right and more"
    with pytest.raises(TransferError, match="more than the 5 bytes"):
        client.download("folder/file")
    del simulator.source.files[place]
    with pytest.raises(TransferError, match="404"):
        client.download("folder/file")


def test_without_consistent_snapshots_names_carry_no_versions(tmp_path: Path) -> None:
    simulator = Simulator()
    simulator.root.consistent_snapshot = False
    simulator.publish_root()
    simulator.first_root = simulator.source.files["metadata/1.root.json"]
    files = simulator.source.files
    for role in ("snapshot", "targets"):
        files[f"metadata/{role}.json"] = files[f"metadata/1.{role}.json"]
    client = Client.enrolled(tmp_path, simulator)
    assert client.refused() == ""


# --- delegations -----------------------------------------------------------------------------

GRAPHS = {
    "one": ([("targets", "a", "*", False)], "a"),
    "siblings in their order": ([("targets", "a", "*", False), ("targets", "b", "*", False)], "ab"),
    "depth first": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("a", "c", "*", False),
            ("a", "d", "*", False),
        ],
        "acdb",
    ),
    "terminating": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("a", "c", "*", True),
            ("a", "d", "*", False),
            ("c", "e", "*", False),
        ],
        "ace",
    ),
    "paths": (
        [("targets", "a", "*.py", False), ("targets", "b", "*", False), ("b", "c", "x/*", False)],
        "b",
    ),
    "cycle": (
        [
            ("targets", "a", "*", False),
            ("a", "b", "*", False),
            ("b", "c", "*", False),
            ("c", "a", "*", False),
        ],
        "abc",
    ),
    "diamond": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("b", "c", "*", False),
            ("a", "c", "*", False),
        ],
        "acb",
    ),
}


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda each: each)
def test_delegations_are_walked_in_their_order(
    client: Client, simulator: Simulator, graph: str
) -> None:
    delegations, expected = GRAPHS[graph]
    for delegator, role, path, terminating in delegations:
        simulator.delegate(delegator, role, [path], terminating=terminating)
    simulator.bump("targets")
    simulator.source.requests.clear()
    assert client.download("missing") is None
    asked = [each for each in simulator.source.requests if each[-6] in "abcde" and each[-7] == "."]
    assert asked == [f"metadata/1.{role}.json" for role in expected]


def test_at_most_so_many_delegations_are_followed(client: Client, simulator: Simulator) -> None:
    for number in range(40):
        simulator.delegate("targets", f"role-{number}", ["*"])
    simulator.add_file("role-39", "far", b"away")
    simulator.bump("targets")
    assert client.download("far") is None


def test_a_role_cannot_vouch_for_paths_that_it_was_not_given(
    client: Client, simulator: Simulator
) -> None:
    simulator.delegate("targets", "a", ["products/one/*"])
    simulator.add_file("a", "products/one/file", b"mine")
    simulator.add_file("a", "products/two/file", b"not mine")
    simulator.bump("targets")
    assert client.download("products/one/file") == b"mine"
    assert client.download("products/two/file") is None


def test_a_cached_role_is_verified_against_who_delegates_to_it_now(
    client: Client, simulator: Simulator
) -> None:
    """The case of tuf-conformance #405: one role, two delegators with different keys for it."""
    simulator.delegate("targets", "a", ["one"])
    simulator.delegate("targets", "b", ["two"])
    simulator.delegate("a", "shared", ["one"])
    other = CryptoSigner.generate_ed25519().public_key
    simulator.delegate("b", "shared", ["two"], key=other)
    simulator.add_file("shared", "one", b"vouched for by a")
    simulator.add_file("shared", "two", b"not vouched for by b")
    simulator.bump("targets")
    assert client.download("one") == b"vouched for by a"
    with pytest.raises(TrustError):
        client.download("two")
    updater = client.updater()
    assert updater.find_target("one") is not None
    with pytest.raises(TrustError):
        updater.find_target("two")


def test_a_delegated_role_that_changed_hands_is_not_taken_from_the_cache(
    client: Client, simulator: Simulator
) -> None:
    simulator.delegate("targets", "a", ["*"])
    simulator.add_file("a", "file", b"old hands")
    simulator.bump("targets")
    assert client.download("file") == b"old hands"
    simulator.signers["a"] = [CryptoSigner.generate_ed25519()]
    delegations = simulator.targets["targets"].delegations
    assert delegations is not None
    assert delegations.roles is not None
    delegations.roles["a"].keyids.clear()
    simulator.targets["targets"].add_key(simulator.signers["a"][0].public_key, "a")
    stale = simulator.source.files["metadata/1.a.json"]
    simulator.bump("targets")
    simulator.source.files["metadata/1.a.json"] = stale
    with pytest.raises(TrustError):
        client.download("file")


@pytest.mark.parametrize("name", ["..", "a/b", "%2e%2e", "sp ace", "ünïcode", "c:\\x", "?q#f"])
def test_odd_role_names_stay_inside_the_folder(
    client: Client, simulator: Simulator, name: str
) -> None:
    simulator.delegate("targets", name, ["*"])
    simulator.add_file(name, "file", b"content")
    simulator.bump("targets")
    assert client.download("file") == b"content"
    assert all("/../" not in each for each in simulator.source.requests)
    assert len(list((client.folder / "metadata").iterdir())) == 5


# --- several sources -------------------------------------------------------------------------


def test_the_newest_valid_timestamp_of_all_sources_counts(
    client: Client, simulator: Simulator
) -> None:
    frozen = type(simulator.source)(dict(simulator.source.files))
    simulator.bump("targets")
    client.sources = [frozen, simulator.source]
    assert client.refused() == ""
    assert client.versions()["targets"] == 2


def test_a_source_that_lies_or_is_away_does_not_hold_back_the_others(
    client: Client, simulator: Simulator
) -> None:
    simulator.next_root()
    simulator.bump("targets")
    liar = type(simulator.source)(dict.fromkeys(simulator.source.files, b"lies"))
    away = type(simulator.source)()
    client.sources = [liar, away, simulator.source]
    assert client.refused() == ""
    assert client.versions() == {"root": 2, "timestamp": 2, "snapshot": 2, "targets": 2}


def test_without_a_source_nothing_is_believed(client: Client) -> None:
    client.sources = []
    assert client.refused() == TRANSFER
