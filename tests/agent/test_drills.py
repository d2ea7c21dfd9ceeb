"""The ceremonies of docs/guides/trust.md, held against a device that lived through them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.device import Device
from edgeworthy.agent.signed_time import load_signed_time
from edgeworthy.release.trust import (
    assign_release,
    refresh_repository,
    repository_status,
    rotate_role,
    withdraw_release,
)
from edgeworthy.release.trust.committing import Draft, commit
from edgeworthy.release.trust.layout import TARGETS
from release.trust.workshop import ONLINE, PRODUCT, Workshop

STALE = "EW630"
TRUST = "EW620"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "workshop")
    made.folder.mkdir()
    made.init()
    made.publish("1.0.0", "rings/stable")
    return made


@pytest.fixture
def device(tmp_path: Path, workshop: Workshop) -> Device:
    made = Device.enrolled(tmp_path / "device", workshop)
    assert made.take() is not None
    return made


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "director"])
@pytest.mark.parametrize("old_key", ["at hand", "lost"])
def test_an_online_key_is_exchanged(
    workshop: Workshop, device: Device, role: str, old_key: str
) -> None:
    new = workshop.add_key(f"{role}.2")
    away = (role,) if old_key == "lost" else ()
    assert rotate_role(workshop.ceremony(without=away), role, [new]).published
    assert device.refused() == ""
    del workshop.signers[role]
    workshop.publish("1.1.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "1.1.0"


def test_the_targets_key_was_stolen_with_the_server(workshop: Workshop, device: Device) -> None:
    thief = workshop.ceremony(only=(*ONLINE, "targets"))
    state = thief.state()
    targets = state.copy_of(TARGETS)
    targets.version = 5_000
    key = workshop.add_key("thief")
    targets.add_key(key, f"product-{PRODUCT}")
    for _ in range(3):
        commit(workshop.repository, thief.state(), Draft(targets={TARGETS: targets}),
               thief.keyring, workshop.now)  # fmt: skip
    assert device.refused() == ""
    names = {"timestamp": "timestamp.2", "snapshot": "snapshot.2", TARGETS: "targets.2"}
    for role, name in {**names, "director": "director.2"}.items():
        new = workshop.add_key(name)
        assert rotate_role(workshop.ceremony(), role, [new]).published
    good = workshop.key(f"product-{PRODUCT}")
    assert rotate_role(workshop.ceremony(), f"product-{PRODUCT}", [good]).published
    for name in (*ONLINE, TARGETS):
        del workshop.signers[name]
    workshop.publish("1.1.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "1.1.0"
    (product,) = (
        each
        for each in repository_status(workshop.ceremony()).roles
        if each.role == f"product-{PRODUCT}"
    )
    assert product.keys == (f"product-{PRODUCT}",)


def test_a_product_key_was_stolen_and_its_release_is_withdrawn(
    workshop: Workshop, device: Device
) -> None:
    workshop.publish("6.6.6", "rings/stable")
    device.take()
    new = workshop.add_key("product-keywords.2")
    rotate_role(workshop.ceremony(), f"product-{PRODUCT}", [new])
    del workshop.signers[f"product-{PRODUCT}"]
    withdraw_release(workshop.ceremony(), PRODUCT, 2)
    assert device.refused() == TRUST
    workshop.publish("1.1.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert (taken.manifest.version, device.highest_counter) == ("1.1.0", 3)


def test_a_device_that_was_off_for_18_months_catches_up(workshop: Workshop, device: Device) -> None:
    for month in range(18):
        workshop.later(days=30)
        if month % 6 == 5:
            keys = [workshop.add_key(f"root.{month}.{number}") for number in range(3)]
            rotate_role(workshop.ceremony(), "root", keys)
            new = workshop.add_key(f"timestamp.{month}")
            rotate_role(workshop.ceremony(), "timestamp", [new])
        roles = ["director", TARGETS, f"product-{PRODUCT}"]
        refresh_repository(workshop.ceremony(), roles)
    workshop.publish("2.0.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "2.0.0"


def test_256_exchanges_of_root_keys_are_survived(
    workshop: Workshop, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # thousands of them take a minute
    for count in range(256):
        keys = [workshop.add_key(f"root.{count}.{number}") for number in range(3)]
        rotate_role(workshop.ceremony(), "root", keys)
        for name in [name for name in workshop.signers if name.startswith("root.")][:-3]:
            del workshop.signers[name]
        workshop.folder.joinpath("keys", "trusted-root.json").write_bytes(
            (workshop.repository / "metadata" / f"{count + 2}.root.json").read_bytes()
        )
    workshop.publish("1.1.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "1.1.0"


@pytest.mark.parametrize(
    ("year", "expected"),
    [(1970, ""), (2000, ""), (2026, ""), (2038, STALE), (2106, STALE)],
)
def test_a_wrong_clock_delays_updates_at_most_and_nothing_stays_of_it(
    device: Device, year: int, expected: str
) -> None:
    floor = load_signed_time(device.folder / "signed-time.json")
    device.clock = datetime(year, 1, 19, 3, 14, 8, tzinfo=UTC)
    assert device.refused() == expected
    assert load_signed_time(device.folder / "signed-time.json") == floor
    assert (device.folder / "release-1" / "index.json").is_file()
    device.clock = None
    assert device.refused() == ""


def test_a_device_whose_clock_does_not_count_judges_by_the_signed_time(
    workshop: Workshop, device: Device
) -> None:
    device.clock_counts = False
    device.clock = datetime(2038, 1, 19, tzinfo=UTC)
    assert device.refused() == ""
    frozen = {path: path.read_bytes() for path in (workshop.repository / "metadata").iterdir()}
    workshop.later(days=10)
    refresh_repository(workshop.ceremony())
    assert device.refused() == ""
    for path, data in frozen.items():
        path.write_bytes(data)
    assert device.refused() == TRUST


def test_a_repository_that_is_held_back_is_noticed_by_the_clock(
    workshop: Workshop, device: Device
) -> None:
    workshop.later(days=8)
    assert device.refused() == STALE
    assert (device.folder / "release-1" / "index.json").is_file()
    refresh_repository(workshop.ceremony())
    assert device.refused() == ""


def test_a_thief_who_moved_the_time_is_forgotten_with_his_key(
    workshop: Workshop, device: Device
) -> None:
    honest = workshop.now
    workshop.later(days=6)
    refresh_repository(workshop.ceremony(only=ONLINE))
    assert device.refused() == ""
    moved = load_signed_time(device.folder / "signed-time.json")
    assert moved.online is not None
    assert moved.online > honest
    workshop.now = honest
    new = workshop.add_key("timestamp.2")
    assert rotate_role(workshop.ceremony(), "timestamp", [new]).published
    assert device.refused() == ""
    assert load_signed_time(device.folder / "signed-time.json").online == honest


def test_a_stolen_server_can_only_choose(workshop: Workshop, device: Device) -> None:
    workshop.publish("1.1.0")
    assert assign_release(workshop.ceremony(only=ONLINE), PRODUCT, 2, ["rings/stable"]).published
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "1.1.0"
    assert assign_release(workshop.ceremony(only=ONLINE), PRODUCT, 1, ["rings/stable"]).published
    assert device.refused() == TRUST
