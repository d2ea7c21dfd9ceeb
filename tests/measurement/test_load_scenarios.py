from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeworthy.documents.load import RateAttempt
from edgeworthy.measurement import LoadOptions, MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.load_scenarios import _Runs, early_stopping_count

CAPACITY_HZ = 1000.0


@dataclass(frozen=True)
class Engine:
    """An engine that was started, in a world without processes."""

    latency_ns: int = int(1e9 / CAPACITY_HZ)


class World(_Runs):
    """Runs in which a rate holds when ``holds`` says so of the rate and the start."""

    def __init__(self, holds: Callable[[float, int], bool]) -> None:
        plan = MeasurementPlan(variant="v", artifact=Path("v"), digest="sha256:v", target="host")
        load = LoadOptions(scenario="Server")
        super().__init__(plan, MeasurementSettings(), load, None, lambda _state: None)
        self._holds = holds

    @contextlib.contextmanager
    def _started(self) -> Iterator[Any]:
        yield Engine()

    def _attempt(self, _started: Any, rate_hz: float, *, start_number: int) -> Any:  # noqa: ANN401
        attempt = RateAttempt(
            rate_hz=rate_hz,
            achieved_hz=rate_hz,
            query_count=1000,
            over_latency_count=0,
            held=self._holds(rate_hz, start_number),
            start=start_number,
        )
        self.attempts.append(attempt)
        return attempt, np.full(1000, 1.0)


@pytest.mark.parametrize("limit_hz", [20.0, 300.0, 500.0, 990.0])
def test_the_highest_rate_that_holds_is_found_to_three_per_cent(limit_hz: float) -> None:
    found = World(lambda rate_hz, _start: rate_hz <= limit_hz).server()
    assert found.rate_hz is not None
    assert 0.96 * limit_hz <= found.rate_hz <= limit_hz
    assert found.query_count == 3000
    assert found.throughput_hz is not None
    assert found.throughput_hz.n == 3


def test_a_rate_that_fresh_starts_do_not_hold_is_lowered() -> None:
    world = World(lambda rate_hz, start: rate_hz <= (600.0 if start == 1 else 550.0))
    found = world.server()
    assert found.rate_hz is not None
    assert 0.9 * 550.0 < found.rate_hz <= 550.0
    assert [each.held for each in world.attempts[-3:]] == [True, True, True]
    assert [each.start for each in world.attempts[-3:]] == [2, 3, 4]


def test_a_rate_that_never_holds_again_is_no_result() -> None:
    found = World(lambda _rate_hz, start: start == 1).server()
    assert (found.rate_hz, found.throughput_hz, found.query_count) == (None, None, 0)


def test_a_machine_that_holds_no_rate_is_told_after_few_attempts() -> None:
    world = World(lambda _rate_hz, _start: False)
    assert world.server().rate_hz is None
    assert len(world.attempts) == 6


def test_an_attempt_is_long_enough_for_three_late_queries() -> None:
    assert early_stopping_count(99) == 1001
