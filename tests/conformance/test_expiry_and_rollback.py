"""What has expired, what is older than before, what was driven up: as in tuf-conformance."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conformance.simulator import FRESH, NOW, STALE, TRUST, Client, Simulator


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


@pytest.mark.parametrize("hashes", [False, True], ids=["versions alone", "with hashes"])
def test_an_older_snapshot_is_refused(
    client: Client, simulator: Simulator, *, hashes: bool
) -> None:
    simulator.describe_fully = hashes
    simulator.snapshot.version = 5
    simulator.publish()
    client.refused()
    simulator.snapshot.version = 4
    simulator.timestamp.version += 1
    simulator.publish()
    assert client.refused() == TRUST


@pytest.mark.parametrize("hashes", [False, True], ids=["versions alone", "with hashes"])
def test_a_snapshot_with_older_targets_is_refused(
    client: Client, simulator: Simulator, *, hashes: bool
) -> None:
    simulator.describe_fully = hashes
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


def test_targets_that_a_thief_made_very_high_are_forgotten_with_the_key_of_the_snapshot(
    client: Client, simulator: Simulator
) -> None:
    simulator.targets["targets"].version = 100
    simulator.bump()
    assert client.refused() == ""
    assert client.versions()["targets"] == 100
    simulator.targets["targets"].version = 2
    simulator.rotate("snapshot")
    simulator.next_root()
    simulator.bump()
    assert client.refused() == ""
    assert client.versions()["targets"] == 2


def test_an_expired_stored_timestamp_and_snapshot_do_not_hinder_newer_ones(
    client: Client, simulator: Simulator
) -> None:
    simulator.timestamp.expires = NOW + timedelta(days=7)
    simulator.snapshot.expires = NOW + timedelta(days=7)
    simulator.bump()
    assert client.refused() == ""
    client.now += timedelta(days=18)
    simulator.timestamp.expires = NOW + timedelta(days=21)
    simulator.snapshot.expires = NOW + timedelta(days=21)
    simulator.bump("targets")
    assert client.refused() == ""
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 3, "targets": 2}
