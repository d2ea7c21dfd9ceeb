from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import pytest

from edgeworthy.measurement.scenario import (
    garbage_collection_paused,
    run_single_stream,
    warm_up,
)
from edgeworthy.runtimes import Tensors

SAMPLES = [{"x": np.full(1, index)} for index in range(3)]


class Engine:
    """An engine in a world where only its own work takes time, as the list of latencies says."""

    def __init__(self, latencies_ns: Iterator[int]) -> None:
        self.now_ns = 0
        self.seen: list[int] = []
        self._latencies_ns = latencies_ns

    def run(self, inputs: Tensors) -> dict[str, object]:
        self.seen.append(int(inputs["x"][0]))
        self.now_ns += next(self._latencies_ns)
        return {}

    def clock(self) -> int:
        return self.now_ns


def test_latencies_are_those_of_the_engine_and_samples_come_in_turn() -> None:
    engine = Engine(count(100, 10))
    latencies_ns = run_single_stream(engine.run, SAMPLES, first=2, count=4, clock=engine.clock)
    assert latencies_ns == [100, 110, 120, 130]
    assert engine.seen == [2, 0, 1, 2]


def test_releasing_the_outputs_is_not_timed() -> None:
    engine = Engine(count(100, 0))

    class Output:
        def __del__(self) -> None:
            engine.now_ns += 1_000_000

    def run(inputs: Tensors) -> Output:
        engine.run(inputs)
        return Output()

    assert run_single_stream(run, SAMPLES, first=0, count=3, clock=engine.clock) == [100] * 3


def cooling(start_ns: int, end_ns: int, query_count: int) -> Iterator[int]:
    yield from np.linspace(start_ns, end_ns, query_count).astype(int).tolist()
    while True:
        yield end_ns


def test_warm_up_ends_when_the_latency_falls_no_more() -> None:
    engine = Engine(cooling(1000, 200, 50))
    result = warm_up(engine.run, SAMPLES, limit_ns=10**9, window_ns=2000, clock=engine.clock)
    assert result.stationary
    assert result.latency_ns == 200
    assert 50 < result.query_count < 100


def test_warm_up_ends_at_its_limit_even_if_the_latency_still_falls() -> None:
    engine = Engine(cooling(1_000_000, 1000, 10_000))
    result = warm_up(
        engine.run, SAMPLES, limit_ns=20_000_000, window_ns=10_000_000, clock=engine.clock
    )
    assert not result.stationary
    assert engine.now_ns < 40_000_000


def test_warm_up_runs_one_query_at_least() -> None:
    engine = Engine(count(5000, 0))
    result = warm_up(engine.run, SAMPLES, limit_ns=0, window_ns=0, clock=engine.clock)
    assert (result.query_count, result.latency_ns, result.stationary) == (1, 5000, False)


@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_the_garbage_collector_rests_and_is_left_as_it_was(switch: Callable[[], None]) -> None:
    switch()
    before = gc.isenabled()
    try:
        with garbage_collection_paused():
            assert not gc.isenabled()
        assert gc.isenabled() == before
    finally:
        gc.enable()
