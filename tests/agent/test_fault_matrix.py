"""The page that says what holds each fault names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "fault-matrix.md").read_text(encoding="utf-8")
ROWS = {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) \|.*\|$", PAGE, re.MULTILINE)}


def test_there_are_forty_rows() -> None:
    assert sorted(ROWS) == list(range(1, 41))


def test_each_row_has_a_test_or_waits_with_a_reason() -> None:
    for number, row in ROWS.items():
        _, _, _, answer, held_by, _ = (cell.strip() for cell in row.split("|"))
        assert "`tests/" in held_by or (held_by == "waits" and "waits" in answer), number


def test_each_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(test_\w+))?`", PAGE)
    assert len(named) > 40
    for file, test in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, (file, test)


def test_each_script_that_is_named_exists() -> None:
    scripts = re.findall(r"`(benchmarks/\w+\.py)`", PAGE)
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)
    assert (ROOT / "tests" / "faults" / "update_soak.py").is_file()
