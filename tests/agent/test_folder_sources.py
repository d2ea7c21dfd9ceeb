"""A repository in a folder, on a stick for example: the same checks, and nothing outside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.desk import BLOB, DIGEST, PLACE, Desk
from edgeworthy.agent.sources import FolderSource, SourceProblem
from edgeworthy.errors import TransferError
from edgeworthy.files import digest_file


def test_a_stick_is_proven_like_a_server(desk: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / PLACE).parent.mkdir(parents=True)
    (stick / PLACE).write_bytes(BLOB)
    desk.sources = [FolderSource(stick)]
    assert desk.fetch() == len(BLOB)
    assert digest_file(desk.store / PLACE) == DIGEST
    (stick / PLACE).write_bytes(BLOB[::-1])
    (desk.store / PLACE).unlink()
    with pytest.raises(TransferError, match="other bytes"):
        desk.fetch()


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "link"])
def test_nothing_outside_a_folder_is_read(tmp_path: Path, path: str) -> None:
    stick = tmp_path / "stick"
    (stick / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (stick / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceProblem) as refused, FolderSource(stick).open(path):
        pass
    assert refused.value.gone


def test_a_folder_behind_a_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (stick / "folder").symlink_to(outside)
    os.mkfifo(stick / "pipe")
    for path in ("folder/file", "pipe"):
        with pytest.raises(SourceProblem), FolderSource(stick).open(path):
            pass
    with pytest.raises(SourceProblem) as gone, FolderSource(stick).open("nothing"):
        pass
    assert gone.value.gone
