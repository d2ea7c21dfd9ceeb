"""A build that is killed between any two writes resumes, and leaves no half-written file."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bands import ProjectFolder
from edgeworthy.documents.record import decode_document
from edgeworthy.documents.variant import Variant
from edgeworthy.files import digest_file

KILLED_AT_RENAME = """
import os, pathlib, signal, sys

renames = 0
def counted(real):
    def call(self, target):
        global renames
        renames += 1
        if renames == int(sys.argv[1]):
            if sys.argv[2] == "after":
                real(self, target)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, target)
    return call
pathlib.Path.replace = counted(pathlib.Path.replace)
pathlib.Path.rename = counted(pathlib.Path.rename)

from edgeworthy.cli.main import run
sys.exit(run(sys.argv[3:]))
"""


def build(project: ProjectFolder, renames: int, moment: str) -> int:
    arguments = [sys.executable, "-c", KILLED_AT_RENAME, str(renames), moment]
    arguments += ["build", "--project", str(project.path)]
    arguments += ["--passphrase-file", str(project.passphrase_file), "--json"]
    return subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL).returncode


def assert_nothing_is_half_written(folder: Path) -> None:
    for path in (folder / ".edgeworthy" / "objects").rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            assert digest_file(path) == f"sha256:{path.parent.name}{path.name}"
    for path in (folder / ".edgeworthy" / "steps").rglob("*.json"):
        assert path.read_bytes().endswith(b"}")
    for name in ("report.html", "report.md"):
        report = folder / "dist" / name
        assert not report.exists() or report.stat().st_size > 500


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("renames", [1, 9, 23, 31, 33, 38])
def test_a_killed_build_resumes(half_built: ProjectFolder, renames: int, moment: str) -> None:
    assert build(half_built, renames, moment) in {0, -signal.SIGKILL}
    assert_nothing_is_half_written(half_built.path)
    result = half_built.load().build()
    assert result.release_path is not None
    half_built.load().verify()
    assert [each.step for each in half_built.load().build().outcomes if each.ran] == []
    assert list(half_built.path.rglob(".*.partial")) == []
    for variant in result.record.variants:
        assert decode_document(_bytes_of(variant), Variant, where="") == variant


def _bytes_of(variant: Variant) -> bytes:
    from edgeworthy.documents.record import encode_document  # noqa: PLC0415 - one place only

    return encode_document(variant)
