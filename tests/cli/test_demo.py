"""The demonstration is lived through, not described."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from edgeworthy.cli.main import run


@pytest.mark.slow
@pytest.mark.usefixtures("quick_templates")
def test_a_device_lives_through_its_updates_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    assert run(["demo", "device"]) == 0, capsys.readouterr()
    printed = capsys.readouterr().out
    beginnings = [
        "digits 1.0.0 is served",
        "digits 1.1.0 is served, 1.0.0 stands ready behind it",
        "rolled back: Output `logits` differs from the golden outputs",
        "digits 1.1.0 is served as before",
        "refused: the repository: timestamp was signed by 0/1 keys",
        "committed 1.1.0",
        "The chain of entries holds.",
        "nothing was left behind",
    ]
    places = [printed.find(each) for each in beginnings]
    assert -1 not in places
    assert places == sorted(places)
    assert list(tmp_path.iterdir()) == []
