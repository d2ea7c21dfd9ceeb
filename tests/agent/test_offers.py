from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from agent.device import Device
from edgeworthy.agent.offers import (
    fetch_release,
    lay_out,
    load_highest_counter,
    read_device_policy,
    store_highest_counter,
)
from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.documents.publication import PublishedBlob, PublishedRelease, ReleaseAssignment
from edgeworthy.documents.record import Document, encode_document
from edgeworthy.errors import InputError, TransferError, TrustError
from edgeworthy.release.trust import assign_release, publish_policy
from edgeworthy.release.trust.committing import Draft, commit
from edgeworthy.release.trust.files import write_target
from edgeworthy.release.trust.tuf_names import TargetFile
from release.trust.workshop import ONLINE, PRODUCT, Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "workshop")
    made.folder.mkdir()
    made.init()
    return made


@pytest.fixture
def device(tmp_path: Path, workshop: Workshop) -> Device:
    return Device.enrolled(tmp_path / "device", workshop)


def vouch(workshop: Workshop, role: str, path: str, document: Document) -> None:
    """Have a role vouch for any document, as a thief of its key could."""
    ceremony = workshop.ceremony()
    state = ceremony.state()
    data = encode_document(document)
    targets = state.copy_of(role)
    targets.targets[path] = TargetFile.from_data(path, data, ["sha256"])
    write_target(workshop.repository, path, data)
    commit(
        workshop.repository, state, Draft(targets={role: targets}), ceremony.keyring, workshop.now
    )


def test_a_device_takes_what_its_ring_is_assigned(workshop: Workshop, device: Device) -> None:
    assert device.take() is None
    workshop.publish("1.0.0", "rings/stable")
    taken = device.take()
    assert taken is not None
    assert taken.manifest.version == "1.0.0"


def test_its_own_assignment_comes_before_that_of_its_ring(
    workshop: Workshop, device: Device
) -> None:
    workshop.publish("1.0.0", "devices/d1")
    workshop.publish("1.1.0", "rings/stable")
    offer = device.look()
    assert offer is not None
    assert offer.assignment.audience == "devices/d1"
    device.name = "d2"
    offer = device.look()
    assert offer is not None
    assert offer.release.version == "1.1.0"


def test_blobs_that_two_releases_share_are_fetched_once(workshop: Workshop, device: Device) -> None:
    first, _ = workshop.publish("1.0.0", "rings/stable")
    second, _ = workshop.publish("1.1.0")
    store = device.folder / "store"
    assert fetch_release(device.transport(), first, store) == first.size_bytes
    shared = {blob.digest for blob in first.blobs}
    expected = sum(blob.size_bytes for blob in second.blobs if blob.digest not in shared)
    assert fetch_release(device.transport(), second, store) == expected < second.size_bytes
    assert fetch_release(device.transport(), second, store) == 0


def test_a_stolen_director_cannot_send_a_device_back(workshop: Workshop, device: Device) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0", "rings/stable")
    device.take()
    assign_release(workshop.ceremony(only=ONLINE), PRODUCT, 1, ["rings/stable"])
    with pytest.raises(TrustError, match=r"older release.*--rollback"):
        device.look()


def test_an_authorized_rollback_is_followed(workshop: Workshop, device: Device) -> None:
    workshop.publish("1.0.0", "rings/stable")
    device.take()
    workshop.publish("1.1.0", "rings/stable")
    device.take()
    workshop.publish("1.0.0", "rings/stable", rollback="1.1.0 mislabels")
    taken = device.take()
    assert taken is not None
    assert (taken.manifest.version, device.highest_counter) == ("1.0.0", 3)


def assignment(**changes: object) -> ReleaseAssignment:
    made = ReleaseAssignment(
        audience="rings/stable",
        product=PRODUCT,
        release_counter=1,
        release="sha256:" + "0" * 64,
        assigned_at="2026-06-01T12:00:00+00:00",
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"release": "sha256:" + "1" * 64}, "another release than the product's key"),
        ({"release_counter": 9}, "nobody vouches for"),
        ({"audience": "devices/somebody"}, "for somebody else"),
        ({"product": "gestures"}, "for somebody else"),
    ],
)
def test_a_stolen_director_cannot_make_a_release(
    workshop: Workshop, device: Device, changes: dict[str, object], expected: str
) -> None:
    workshop.publish("1.0.0")
    path = f"assignments/{PRODUCT}/rings/stable.json"
    vouch(workshop, "director", path, assignment(**changes))
    with pytest.raises(TrustError, match=expected):
        device.look()


def test_the_director_cannot_vouch_for_a_release_itself(workshop: Workshop, device: Device) -> None:
    release, _ = workshop.publish("1.0.0")
    forged = msgspec.structs.replace(release, release_counter=2)
    vouch(workshop, "director", f"products/{PRODUCT}/2.json", forged)
    vouch(
        workshop,
        "director",
        f"assignments/{PRODUCT}/rings/stable.json",
        assignment(release_counter=2),
    )
    with pytest.raises(TrustError, match="nobody vouches for"):
        device.look()


@pytest.mark.parametrize(
    "changes",
    [
        {"release_counter": 7},
        {"product": "gestures"},
        {"entry": "sha256:" + "0" * 64},
        {"blobs": (PublishedBlob(digest="../../etc/passwd", size_bytes=1),)},
        {"blobs": (PublishedBlob(digest="sha256:" + "0" * 64, size_bytes=-1),)},
    ],
)
def test_a_release_document_that_contradicts_itself_is_refused(
    workshop: Workshop, device: Device, changes: dict[str, object]
) -> None:
    release, _ = workshop.publish("1.0.0", "rings/stable")
    path = f"products/{PRODUCT}/1.json"
    vouch(workshop, f"product-{PRODUCT}", path, msgspec.structs.replace(release, **changes))
    assign_release(workshop.ceremony(), PRODUCT, 1, ["rings/stable"])
    with pytest.raises(TrustError):
        device.look()


def test_a_document_of_another_kind_is_refused(workshop: Workshop, device: Device) -> None:
    workshop.publish("1.0.0")
    release = workshop.publish("1.0.0")[0]
    vouch(workshop, "director", f"assignments/{PRODUCT}/rings/stable.json", release)
    with pytest.raises(TrustError, match="another kind of document"):
        device.look()


def test_a_tampered_blob_never_becomes_part_of_a_release(
    workshop: Workshop, device: Device
) -> None:
    release, _ = workshop.publish("1.0.0", "rings/stable")
    blob = workshop.repository / "blobs" / "sha256" / release.blobs[0].digest[7:]
    blob.write_bytes(bytes(blob.stat().st_size))
    with pytest.raises(TransferError, match="other bytes"):
        device.take()


def test_a_policy_comes_from_the_offline_targets_role(workshop: Workshop, device: Device) -> None:
    policy = DevicePolicy(
        name="gateways", products=(PRODUCT,), instruction_sets=("x86-vnni",), signers=()
    )
    publish_policy(workshop.ceremony(), policy)
    assert read_device_policy(device.updater(), "gateways") == policy
    assert read_device_policy(device.updater(), "other") is None
    vouch(workshop, "targets", "policies/other.json", policy)
    with pytest.raises(TrustError, match="policy of another name"):
        read_device_policy(device.updater(), "other")


def release_of(device: Device) -> PublishedRelease:
    offer = device.look()
    assert offer is not None
    fetch_release(device.transport(), offer.release, device.folder / "store")
    return offer.release


def test_a_layout_takes_the_space_of_its_blobs_once(workshop: Workshop, device: Device) -> None:
    workshop.publish("1.0.0", "rings/stable")
    release = release_of(device)
    lay_out(release, device.folder / "store", device.folder / "slot")
    blob = f"blobs/sha256/{release.entry[7:]}"
    assert (device.folder / "store" / blob).samefile(device.folder / "slot" / blob)


def test_a_layout_is_copied_where_there_are_no_hard_links(
    workshop: Workshop, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: Path) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    workshop.publish("1.0.0", "rings/stable")
    release = release_of(device)
    monkeypatch.setattr(os, "link", refuse)
    assert device.take() is not None
    (device.folder / "store" / f"blobs/sha256/{release.entry[7:]}").unlink()
    monkeypatch.undo()
    with pytest.raises(InputError, match="lacks a blob"):
        lay_out(release, device.folder / "store", device.folder / "slot")
    assert not (device.folder / "slot").exists()


def test_the_highest_counter_is_kept_and_never_lowered(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    assert load_highest_counter(path) == 0
    store_highest_counter(path, 7)
    store_highest_counter(path, 3)
    assert load_highest_counter(path) == 7


@pytest.mark.parametrize("damage", [b"seven", b"-3", b"\xff", b""])
def test_a_damaged_counter_is_not_taken_for_none(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "counter"
    path.write_bytes(damage)
    with pytest.raises(InputError, match="cannot be read"):
        load_highest_counter(path)
