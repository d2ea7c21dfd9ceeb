"""Artefacts taking turns: what one start brings into the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.measurement import MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.interleaving import observe
from edgeworthy.measurement.starting import StartedProcess


def test_an_odd_first_start_does_not_shape_the_turns_of_the_others(
    small_model: Path, plan: Callable[[Path], MeasurementPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal artefacts, of which one was slow while its first start warmed up."""
    warm_ns = iter([500_000, 2_000_000] + [500_000] * 10)
    monkeypatch.setattr(StartedProcess, "latency_ns", property(lambda _: next(warm_ns)))
    settings = MeasurementSettings(query_count=6, minimum_s=0.0, launches=6, warm_up_limit_s=0.02)
    one, two = observe([plan(small_model), plan(small_model)], settings, ())
    lengths = [
        sorted(len(each.launches[launch].turns[0]) for each in (one, two)) for launch in range(6)
    ]
    assert lengths == [[5, 20]] + [[20, 20]] * 5
