"""The room's public doors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeworthy import statistics


def test_every_door_leads_somewhere() -> None:
    for name in statistics.__all__:
        assert getattr(statistics, name).__name__ == name


def test_an_unknown_door_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError) as caught:
        statistics.__getattr__("no_such_door")
    assert "no_such_door" in str(caught.value)


def test_closed_formulas_load_without_numpy() -> None:
    code = (
        "import sys, edgeworthy.statistics as s; s.share_interval; sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
