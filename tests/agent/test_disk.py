"""A disk that fills up or becomes read-only under a device, for real: a small tmpfs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bench import Bench, equipped, events, serving
from edgeworthy.agent.events import CurrentCrashed

SIZE_BYTES = 24 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT CHECKED: a full or read-only disk needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def device(small_disk: Path, memory_path: Path) -> Bench:
    """A device on the small disk, with 1.0.0 committed and 1.1.0 published."""
    bench = Bench.enrolled(small_disk / "device", equipped(memory_path / "workshop"))
    bench.update()
    bench.workshop.publish("1.1.0", "rings/stable")
    return bench


def remount(device: Bench, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(device.folder.parent)], check=True)


def test_a_disk_that_is_remounted_read_only_takes_no_update_and_goes_on_serving(
    device: Bench,
) -> None:
    supervisor = device.started()
    remount(device, "ro")
    supervisor.look()
    assert serving(supervisor) == device.proven_version() == "1.0.0"
    assert "read-only" in supervisor.trouble
    supervisor.handle(CurrentCrashed("the worker was ended by SIGSEGV"))
    assert serving(supervisor) == "1.0.0", "a worker is started again all the same"
    again = device.started()
    assert serving(again) == "1.0.0", "and a device that boots with such a disk serves too"
    remount(device, "rw")
    again.look()
    assert serving(again) == device.proven_version() == "1.1.0"
    assert events(device)[-1] == "committed 1.1.0"


def test_a_full_disk_takes_no_update_and_goes_on_serving(device: Bench) -> None:
    supervisor = device.started()
    filler = device.folder.parent / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"\0" * SIZE_BYTES)
    supervisor.look()
    assert serving(supervisor) == device.proven_version() == "1.0.0"
    assert supervisor.trouble
    again = device.started()
    assert serving(again) == "1.0.0"
    filler.unlink()
    again.look()
    assert serving(again) == device.proven_version() == "1.1.0"
    assert events(device)[-1] == "committed 1.1.0"


def test_space_for_the_whole_release_is_checked_before_its_first_byte(device: Bench) -> None:
    supervisor = device.started()
    filler = device.folder.parent / "filler"
    filler.write_bytes(b"\0" * (SIZE_BYTES - (4 << 20)))
    before = {path.name for path in (device.folder / "blobs" / "sha256").iterdir()}
    supervisor.look()
    assert "not enough space for the release" in supervisor.state.trouble
    assert {path.name for path in (device.folder / "blobs" / "sha256").iterdir()} == before
    assert serving(supervisor) == "1.0.0"
