"""How queries arrive: MLPerf's MultiStream, Server and Offline.

Rules:

1. MultiStream: a query is several samples, and the next one is sent when the last one was answered.
   Server: queries of one sample arrive at the times of a Poisson process, whether or not the last
   one was answered; a latency runs from the time that a query was due. Offline: all samples are
   there at once, and only the throughput counts.
   Source: https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc
2. Timed is what the engine's user would have to do: joining samples to a batch is a part of it.
3. Answers that are to be checked are kept by reference while time runs, and compared after it.
4. A Server run that can no longer hold its bound ends early.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.measurement.scenario import ClockNs, Run
from edgeworthy.runtimes.base import Tensors

#: Waits until the clock shows so many nanoseconds.
WaitUntil: TypeAlias = Callable[[int], None]
_NANOSECONDS = 1_000_000_000
#: The system's sleep may end so much late; the rest is waited for awake.
_SLEEP_SLACK_NS = 1_000_000


@dataclass(frozen=True)
class LoadRun:
    """What one run showed.

    Attributes:
        latencies_ns: Of each query that was answered.
        elapsed_ns: From the first arrival to the last answer.
        kept: Answers that were to be checked, by the position of their first sample.
    """

    latencies_ns: list[int]
    elapsed_ns: int
    kept: Mapping[int, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batches:
    """Queries of several samples.

    Attributes:
        first: Position of the first sample in the cycle of samples.
        count: Queries.
        batch: Samples of each.
    """

    first: int
    count: int
    batch: int


@dataclass(frozen=True)
class Arrivals:
    """When queries arrive, and what is too late.

    Attributes:
        due_ns: When each is due, from the start on, ascending.
        bound_ns: A longer latency is over the bound.
        over_allowed: Queries that may be over it; one more ends the run early.
    """

    due_ns: Sequence[int]
    bound_ns: int
    over_allowed: int


def poisson_arrivals_ns(rate_hz: float, count: int, *, seed: int) -> NDArray[np.int64]:
    """Times at which queries of a Poisson process are due, from 0 on.

    >>> arrivals = poisson_arrivals_ns(1000.0, 10_000, seed=1)
    >>> round(arrivals[-1] / 1e9)
    10
    """
    gaps_s = np.random.default_rng(seed).exponential(1 / rate_hz, count)
    return (np.cumsum(gaps_s) * _NANOSECONDS).astype(np.int64)


def wait_until(due_ns: int) -> None:
    """Sleep for most of the time, and stay awake for the rest."""
    left_ns = due_ns - time.perf_counter_ns()
    if left_ns > _SLEEP_SLACK_NS:
        time.sleep((left_ns - _SLEEP_SLACK_NS) / _NANOSECONDS)
    while time.perf_counter_ns() < due_ns:
        pass


def run_server(
    run: Run,
    samples: Sequence[Tensors],
    arrivals: Arrivals,
    *,
    keep: Collection[int] = (),
    clock: ClockNs = time.perf_counter_ns,
    wait: WaitUntil = wait_until,
) -> LoadRun:
    """Answer queries that arrive when they are due.

    Args:
        run: The engine.
        samples: Inputs, taken in turn.
        arrivals: When queries are due, and what is too late.
        keep: Queries, from 0, whose answers are kept.
        clock: Nanoseconds.
        wait: Waits for the clock.
    """
    sample_count = len(samples)
    latencies_ns: list[int] = []
    kept: dict[int, Any] = {}
    over_count = 0
    start = clock()
    for index, arrival_ns in enumerate(arrivals.due_ns):
        inputs = samples[index % sample_count]
        due_ns = start + arrival_ns
        if clock() < due_ns:
            wait(due_ns)
        outputs = run(inputs)
        latency_ns = clock() - due_ns
        latencies_ns.append(latency_ns)
        if index in keep:
            kept[index] = outputs
        del outputs
        over_count += latency_ns > arrivals.bound_ns
        if over_count > arrivals.over_allowed:
            break
    return LoadRun(latencies_ns, clock() - start, kept)


def run_batches(
    run: Run,
    samples: Sequence[Tensors],
    work: Batches,
    *,
    keep: Collection[int] = (),
    clock: ClockNs = time.perf_counter_ns,
) -> LoadRun:
    """Answer queries of several samples one after the other: MultiStream, and the work of Offline.

    Args:
        run: The engine.
        samples: Inputs, taken in turn.
        work: How many queries, and of what.
        keep: Queries, from 0, whose answers are kept.
        clock: Nanoseconds.
    """
    sample_count = len(samples)
    latencies_ns = [0] * work.count
    kept: dict[int, Any] = {}
    begun = clock()
    for index in range(work.count):
        position = work.first + index * work.batch
        own = [samples[(position + each) % sample_count] for each in range(work.batch)]
        start = clock()
        outputs = run(join(own))
        latencies_ns[index] = clock() - start
        if index in keep:
            kept[position] = outputs
        del outputs
    return LoadRun(latencies_ns, clock() - begun, kept)


def join(samples: Sequence[Tensors]) -> Tensors:
    """Samples as one batch.

    >>> join([{"x": np.zeros((1, 2))}, {"x": np.ones((1, 2))}])["x"].shape
    (2, 2)
    """
    if len(samples) == 1:
        return samples[0]
    return {name: np.concatenate([each[name] for each in samples]) for name in samples[0]}
