"""A sample of the kills and disk errors that ``make soak`` goes through one by one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from faults.injection import run_preloaded

SCRIPT = Path(__file__).with_name("agent_soak.py")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_sample_of_kills_and_disk_errors_leaves_a_release_that_serves() -> None:
    done = run_preloaded(SCRIPT, ["--every", "97"])
    assert done.returncode == 0, done.stdout
    rows = [line.split("|") for line in done.stdout.splitlines()[2:] if line.startswith("|")]
    assert len(rows) == 9 * 5
    assert all(int(row[5]) == int(row[4]) for row in rows if "kill" in row[2])
    totals = re.search(r"^(\d+) kills, (\d+) disk errors$", done.stdout, re.MULTILINE)
    assert totals is not None
    assert int(totals[1]) >= 30
