from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworthy.errors import StorageError
from edgeworthy.files import (
    digest_bytes,
    digest_file,
    folder_written_whole,
    remove_leftovers,
    write_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.rglob("*"))


def test_a_digest_states_its_algorithm(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a" * 3_000_000)
    assert digest_file(path) == digest_bytes(b"a" * 3_000_000)
    assert digest_bytes(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_parents_are_made_and_permissions_are_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    write_whole(path, b"secret", mode=0o600)
    assert path.read_bytes() == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    write_whole(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space is left on the disk"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_folder_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "release"
    for content in ("one", "two"):
        with folder_written_whole(path) as fresh:
            (fresh / content).write_text(content)
    assert names(tmp_path) == ["release", "two"]


def test_a_folder_that_was_not_finished_never_appears(tmp_path: Path) -> None:
    path = tmp_path / "release"

    def fail() -> None:
        with folder_written_whole(path) as fresh:
            (fresh / "half").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == []


def test_a_folder_cannot_be_written_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        write_whole(tmp_path / "file" / "x", b"")


KILLED = """
import os, signal, sys
from pathlib import Path
from edgeworthy.files import write_whole

calls = 0
def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for name in ("fsync", "replace", "open", "fchmod", "close"):
    setattr(os, name, counted(getattr(os, name)))
write_whole(Path(sys.argv[1]), b"new" * 100000)
"""


@pytest.mark.parametrize("call", range(1, 7))
def test_a_write_that_is_killed_leaves_the_old_or_the_new_file(tmp_path: Path, call: int) -> None:
    path = tmp_path / "x"
    write_whole(path, b"old")
    arguments = [sys.executable, "-c", KILLED, str(path), str(call)]
    code = subprocess.run(arguments, check=False).returncode
    assert code in {0, -signal.SIGKILL}
    assert path.read_bytes() in {b"old", b"new" * 100_000}
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["x"]


KILLED_FOLDER = """
import os, pathlib, signal, sys
from edgeworthy.files import folder_written_whole

renames = 0
real = pathlib.Path.rename
def counted(self, target):
    global renames
    renames += 1
    if renames == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
pathlib.Path.rename = counted
with folder_written_whole(pathlib.Path(sys.argv[1])) as fresh:
    (fresh / "two").write_text("two")
    if sys.argv[2] == "0":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("rename", "kept"), [(0, ["one"]), (1, ["one"]), (2, [])])
def test_a_folder_that_is_killed_is_old_or_absent_but_never_a_mixture(
    tmp_path: Path, rename: int, kept: list[str]
) -> None:
    path = tmp_path / "release"
    with folder_written_whole(path) as fresh:
        (fresh / "one").write_text("one")
    arguments = [sys.executable, "-c", KILLED_FOLDER, str(path), str(rename)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert names(path) == kept
    remove_leftovers(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == (["release"] if kept else [])
