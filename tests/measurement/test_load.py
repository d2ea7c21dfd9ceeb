from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from edgeworthy.measurement.load import (
    Arrivals,
    Batches,
    join,
    poisson_arrivals_ns,
    run_batches,
    run_server,
    wait_until,
)
from edgeworthy.runtimes import Tensors

SAMPLES = [{"x": np.full((1, 1), index)} for index in range(3)]


class World:
    """A world where only the engine's work and waiting take time."""

    def __init__(self, service_ns: Callable[[int], int] = lambda _number: 100) -> None:
        self.now_ns = 5000
        self.seen: list[list[int]] = []
        self._service_ns = service_ns

    def run(self, inputs: Tensors) -> dict[str, object]:
        self.seen.append(inputs["x"][:, 0].tolist())
        self.now_ns += self._service_ns(len(self.seen) - 1)
        return {"number": len(self.seen) - 1}

    def clock(self) -> int:
        return self.now_ns

    def wait(self, due_ns: int) -> None:
        assert due_ns > self.now_ns
        self.now_ns = due_ns


def due(*times_ns: int) -> Arrivals:
    """Queries that may be as late as they like."""
    return Arrivals(due_ns=times_ns, bound_ns=10**12, over_allowed=0)


def test_a_latency_runs_from_the_time_that_a_query_was_due() -> None:
    world = World()
    found = run_server(
        world.run, SAMPLES, due(0, 10, 500), keep={1}, clock=world.clock, wait=world.wait
    )
    assert found.latencies_ns == [100, 190, 100]
    assert found.elapsed_ns == 600
    assert world.seen == [[0], [1], [2]]
    assert found.kept == {1: {"number": 1}}


def test_a_queue_obeys_lindleys_recursion() -> None:
    generator = np.random.default_rng(3)
    service_ns = generator.integers(50, 400, 500).tolist()
    arrivals_ns = np.cumsum(generator.integers(1, 400, 500)).tolist()
    world = World(lambda number: service_ns[number])
    found = run_server(world.run, SAMPLES, due(*arrivals_ns), clock=world.clock, wait=world.wait)
    waiting = 0
    for index, latency_ns in enumerate(found.latencies_ns):
        assert latency_ns == waiting + service_ns[index]
        if index + 1 < len(arrivals_ns):
            gap = arrivals_ns[index + 1] - arrivals_ns[index]
            waiting = max(0, waiting + service_ns[index] - gap)


def test_a_run_that_cannot_hold_its_bound_ends_early() -> None:
    world = World()
    found = run_server(
        world.run,
        SAMPLES,
        Arrivals(due_ns=range(100), bound_ns=250, over_allowed=1),
        clock=world.clock,
        wait=world.wait,
    )
    assert [each > 250 for each in found.latencies_ns] == [False, False, True, True]


def test_queries_of_several_samples_take_them_in_turn() -> None:
    world = World()
    found = run_batches(
        world.run, SAMPLES, Batches(first=1, count=2, batch=2), keep={1}, clock=world.clock
    )
    assert found.latencies_ns == [100, 100]
    assert world.seen == [[1, 2], [0, 1]]
    assert found.kept == {3: {"number": 1}}
    assert found.elapsed_ns == 200


def test_one_sample_is_not_copied() -> None:
    assert join(SAMPLES[:1]) is SAMPLES[0]


def test_gaps_between_arrivals_are_exponential() -> None:
    gaps_s = np.diff(poisson_arrivals_ns(200.0, 20_000, seed=4)) / 1e9
    assert gaps_s.mean() == pytest.approx(1 / 200, rel=0.03)
    assert gaps_s.std() == pytest.approx(1 / 200, rel=0.05)
    assert np.quantile(gaps_s, 0.9) == pytest.approx(np.log(10) / 200, rel=0.05)


def test_waiting_ends_when_it_is_due_and_not_before() -> None:
    due_ns = time.perf_counter_ns() + 2_000_000
    wait_until(due_ns)
    assert time.perf_counter_ns() >= due_ns
    wait_until(0)
