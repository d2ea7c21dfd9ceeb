"""A disk that fills up or becomes read-only under a device, for real: a small tmpfs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bench import Bench, equipped, events, serving
from edgeworthy.agent.events import CurrentCrashed

SIZE_BYTES = 24 << 20


INODES = 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    limits = f"size={SIZE_BYTES},nr_inodes={INODES}"
    command = ["mount", "-t", "tmpfs", "-o", limits, "tmpfs", str(folder)]
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


def left_inodes(device: Bench, count: int) -> None:
    """Empty files take every inode but some."""
    folder = device.folder.parent / "crumbs"
    folder.mkdir()
    for number in range(os.statvfs(folder).f_favail - count):
        (folder / str(number)).touch()


def test_inodes_that_ran_out_take_no_update_and_it_goes_on_serving(device: Bench) -> None:
    supervisor = device.started()
    left_inodes(device, 0)
    assert os.statvfs(device.folder).f_bavail > 0, "there are bytes"
    supervisor.look()
    assert serving(supervisor) == device.proven_version() == "1.0.0"
    assert "no space is left on the disk" in supervisor.trouble
    again = device.started()
    assert serving(again) == "1.0.0"
    shutil.rmtree(device.folder.parent / "crumbs")
    again.look()
    assert serving(again) == device.proven_version() == "1.1.0"
    assert events(device)[-1] == "committed 1.1.0"


def test_inodes_are_counted_before_the_first_byte(device: Bench) -> None:
    supervisor = device.started()
    left_inodes(device, 20)
    before = {path.name for path in (device.folder / "blobs" / "sha256").iterdir()}
    supervisor.look()
    assert "inodes free, found" in supervisor.state.trouble
    assert {path.name for path in (device.folder / "blobs" / "sha256").iterdir()} == before
    assert serving(supervisor) == "1.0.0"


def test_space_is_checked_before_the_first_byte_of_a_release(device: Bench) -> None:
    supervisor = device.started()
    filler = device.folder.parent / "filler"
    filler.write_bytes(b"\0" * (SIZE_BYTES - (4 << 20)))
    before = {path.name for path in (device.folder / "blobs" / "sha256").iterdir()}
    supervisor.look()
    assert "not enough space for the release" in supervisor.state.trouble
    assert {path.name for path in (device.folder / "blobs" / "sha256").iterdir()} == before
    assert serving(supervisor) == "1.0.0"
