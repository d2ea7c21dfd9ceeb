"""Keys, thresholds and root chains, as in the public tuf-conformance suite."""

from __future__ import annotations

import json

import pytest

from conformance.simulator import TRUST, Client, Simulator
from edgeworthy.release.signers import CryptoSigner


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


def test_more_signatures_than_there_are_keys_are_never_there(
    client: Client, simulator: Simulator
) -> None:
    assert client.refused() == ""
    for _ in range(4):
        simulator.add_key("snapshot")
    simulator.root.roles["snapshot"].threshold = 6
    simulator.next_root()
    simulator.bump()
    assert client.refused() == TRUST
    assert client.versions()["snapshot"] == 1
    simulator.root.roles["snapshot"].threshold = 5
    simulator.next_root()
    assert client.refused() == ""
    assert client.versions()["snapshot"] == 2


def test_a_field_of_a_key_that_is_not_in_the_standard_changes_nothing(
    client: Client, simulator: Simulator
) -> None:
    key_id = simulator.root.roles["snapshot"].keyids[0]
    simulator.root.keys[key_id].unrecognized_fields["keyid_hash_algorithms"] = ["md5"]
    simulator.next_root()
    simulator.bump()
    assert client.refused() == ""
    assert client.versions()["root"] == 2
