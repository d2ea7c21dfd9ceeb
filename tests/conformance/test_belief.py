"""The basics of the public tuf-conformance suite, and sources that lie or are away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.simulator import FRESH, TRANSFER, TRUST, Client, Simulator
from edgeworthy.errors import TransferError, TrustError
from edgeworthy.release.signers import CryptoSigner


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
