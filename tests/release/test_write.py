from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from edgeworthy.errors import InputError, StorageError, UsageError
from edgeworthy.release import Key, ReleaseBlob, Signer, verify_release, write_release
from release.builders import FLOAT_MODEL, NOW, SMALL_MODEL, contents_of


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_contents_give_the_same_bytes(
    pristine: Path, tmp_path: Path, signer: Signer, keys: list[Key]
) -> None:
    digest = write_release(tmp_path / "release", contents_of(), signer)
    assert files_of(tmp_path / "release") == files_of(pristine)
    assert verify_release(pristine, keys).digest == digest


def test_blobs_are_copied_from_files(pristine: Path, tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    (tmp_path / "model").write_bytes(FLOAT_MODEL)
    first, *others = contents.blobs
    on_disk = dataclasses.replace(first, source=tmp_path / "model")
    contents = dataclasses.replace(contents, blobs=(on_disk, *others))
    write_release(tmp_path / "release", contents, signer)
    assert files_of(tmp_path / "release") == files_of(pristine)


def test_another_key_gives_the_same_release_and_other_evidence(
    pristine: Path, tmp_path: Path, keys: list[Key], stranger: Signer
) -> None:
    digest = write_release(tmp_path / "release", contents_of(), stranger)
    theirs = verify_release(tmp_path / "release", [stranger.public_key])
    ours = verify_release(pristine, keys)
    assert theirs.digest == digest == ours.digest
    assert theirs.index_digest != ours.index_digest


def test_an_older_release_is_replaced(release: Path, signer: Signer, keys: list[Key]) -> None:
    write_release(release, contents_of(version="2.0.0"), signer)
    assert verify_release(release, keys, now=NOW).manifest.version == "2.0.0"
    assert [path.name for path in release.parent.iterdir()] == ["release"]


def test_an_empty_folder_is_filled(tmp_path: Path, signer: Signer, keys: list[Key]) -> None:
    (tmp_path / "release").mkdir()
    write_release(tmp_path / "release", contents_of(), signer)
    verify_release(tmp_path / "release", keys)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_else_is_ever_replaced(tmp_path: Path, signer: Signer, kind: str) -> None:
    target = tmp_path / "precious"
    if kind == "folder":
        target.mkdir()
        (target / "thesis.txt").write_text("years of work")
    else:
        target.write_text("years of work")
    with pytest.raises(UsageError, match="something else than a release lies there"):
        write_release(target, contents_of(), signer)
    kept = target / "thesis.txt" if kind == "folder" else target
    assert kept.read_text() == "years of work"


def test_a_blob_that_cannot_be_read(release: Path, signer: Signer) -> None:
    before = files_of(release)
    contents = contents_of()
    missing = ReleaseBlob(title="a.txt", media_type="text/plain", source=release / "missing")
    contents = dataclasses.replace(contents, blobs=(*contents.blobs, missing))
    with pytest.raises(InputError, match="cannot be read") as caught:
        write_release(release, contents, signer)
    assert caught.value.where == str(release / "missing")
    assert files_of(release) == before
    assert [path.name for path in release.parent.iterdir()] == ["release"]


def test_a_full_disk_leaves_the_older_release(
    release: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(release)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space is left"):
        write_release(release, contents_of(version="2.0.0"), signer)
    assert files_of(release) == before
    assert [path.name for path in release.parent.iterdir()] == ["release"]


def test_a_disk_that_fills_up_while_a_blob_is_copied(
    release: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(release)
    opened = Path.open

    def open_until_full(path: Path, mode: str = "r") -> BinaryIO:
        if mode == "wb":
            raise OSError(28, "No space left on device")
        return opened(path, "rb")

    monkeypatch.setattr(Path, "open", open_until_full)
    with pytest.raises(StorageError, match="no space is left"):
        write_release(release, contents_of(version="2.0.0"), signer)
    monkeypatch.undo()
    assert files_of(release) == before


def test_an_interrupted_write_leaves_the_older_release(
    release: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at every rename in turn."""
    before = files_of(release)
    renamed = Path.rename
    for stop_at in range(1, 8):
        calls: Iterator[int] = iter(range(1, 1000))

        def interrupt(
            path: Path, target: Path, calls: Iterator[int] = calls, stop_at: int = stop_at
        ) -> Path:
            if next(calls) == stop_at:
                raise KeyboardInterrupt
            return renamed(path, target)

        monkeypatch.setattr(Path, "rename", interrupt)
        try:
            write_release(release, contents_of(version="2.0.0"), signer)
        except KeyboardInterrupt:
            monkeypatch.undo()
            if not release.exists():  # between the two renames: the old one lies beside
                (aside,) = release.parent.glob(".release.*.old")
                aside.rename(release)
            assert files_of(release) == before
        else:
            pytest.fail("there are fewer renames than this test believes")
        for leftover in release.parent.glob(".release.*"):
            shutil.rmtree(leftover)


def test_a_blob_in_pieces_is_copied_whole(tmp_path: Path, signer: Signer, keys: list[Key]) -> None:
    large = os.urandom(1 << 20) * 3 + b"end"
    contents = contents_of()
    (tmp_path / "large").write_bytes(large)
    blob = ReleaseBlob(title="large.bin", media_type="text/plain", source=tmp_path / "large")
    contents = dataclasses.replace(contents, blobs=(*contents.blobs, blob))
    write_release(tmp_path / "release", contents, signer)
    found = {each.title: each for each in verify_release(tmp_path / "release", keys).blobs}
    assert found["large.bin"].path.read_bytes() == large
    assert found["large.bin"].size_bytes == len(large)
    assert found["int8.onnx"].path.read_bytes() == SMALL_MODEL
