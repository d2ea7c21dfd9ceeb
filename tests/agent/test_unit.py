"""The systemd unit holds, and what it allows is little."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworthy.agent.unit import unit_text
from edgeworthy.cli.main import run

STORE = Path("/var/lib/edgeworthy")


def test_nothing_runs_as_root() -> None:
    made_up = unit_text(("/usr/bin/edgeworthy",), STORE)
    assert "DynamicUser=yes\nStateDirectory=edgeworthy\n" in made_up
    assert "User=root" not in made_up
    named = unit_text(("/usr/bin/edgeworthy",), Path("/srv/models"), user="edge")
    assert "User=edge\nReadWritePaths=/srv/models\n" in named


@pytest.mark.parametrize(
    ("store", "user"),
    [
        ("/srv/models", ""),
        ("/var/lib/a b", ""),
        ("/var/lib/x", "a b"),
        ("/srv/a\nUser=root", "edge"),
    ],
)
def test_what_a_unit_cannot_hold_is_refused(store: str, user: str) -> None:
    with pytest.raises(ValueError, match=r"store at|unit"):
        unit_text(("/usr/bin/edgeworthy",), Path(store), user=user)


def test_paths_are_words_and_nothing_else() -> None:
    text = unit_text(("/opt/my tools/edgeworthy",), Path("/srv/100% $HOME"), user="edge")
    assert "ExecStart='/opt/my tools/edgeworthy' agent run --store '/srv/100%% $$HOME'" in text


def test_memory_for_two_workers_and_the_supervisor() -> None:
    assert "MemoryMax=640M" in unit_text(("/usr/bin/edgeworthy",), STORE, memory_limit_mib=256)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_and_little_exposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["agent", "unit"]) == 0
    path = tmp_path / "edgeworthy-agent.service"
    text = capsys.readouterr().out
    path.write_text(text)
    assert sys.executable.rpartition("/")[0] in text
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    ours = [line for line in verified.stderr.splitlines() if path.name in line]
    assert (verified.returncode, ours) == (0, []), verified.stderr
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert exposure.returncode == 0, exposure.stdout.splitlines()[-1:]
