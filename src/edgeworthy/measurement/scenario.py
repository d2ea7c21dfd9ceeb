"""How queries follow each other: MLPerf's SingleStream.

Rules:

1. SingleStream: a query is one sample, and the next one is sent when the last one was answered.
   Source: https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc
2. Timed is the engine's work alone: choosing the sample and giving back its outputs are not.
3. The garbage collector rests while queries are timed.
4. Warm-up ends when a stretch of queries is no longer faster than the best before it, twice in a
   row, and never later than its limit.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from edgeworthy.runtimes.base import Tensors

#: Runs one query.
Run: TypeAlias = Callable[[Tensors], Any]
#: Nanoseconds from a point that never changes.
ClockNs: TypeAlias = Callable[[], int]

#: A stretch counts as faster when its median is lower than the best by more than this.
_FASTER_RATIO = 0.02
_SETTLED_STRETCHES = 2
_NOTHING: Mapping[int, list[Any]] = {}


@dataclass(frozen=True)
class WarmUpResult:
    """How the warm-up went.

    Attributes:
        query_count: Queries that were run.
        latency_ns: Median latency of the last stretch.
        stationary: Whether the latency had stopped falling.
    """

    query_count: int
    latency_ns: int
    stationary: bool


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Collect now, and not again before the end of the block."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def run_single_stream(
    run: Run,
    samples: Sequence[Tensors],
    *,
    first: int,
    count: int,
    clock: ClockNs = time.perf_counter_ns,
    keep: Mapping[int, list[Any]] = _NOTHING,
) -> list[int]:
    """Run queries one after the other.

    Args:
        run: The engine.
        samples: Inputs, taken in turn.
        first: Position of the first query in the cycle of samples.
        count: Number of queries.
        clock: Read before and after each query.
        keep: Queries, from 0, whose outputs are appended to a list, for checking them later.

    Returns:
        Latency of each query in nanoseconds.
    """
    sample_count = len(samples)
    latencies_ns = [0] * count
    for index in range(count):
        inputs = samples[(first + index) % sample_count]
        start = clock()
        outputs = run(inputs)
        latencies_ns[index] = clock() - start
        if index in keep:
            keep[index].append(outputs)
        del outputs  # or the next query's time would hold this one's release
    return latencies_ns


def warm_up(
    run: Run,
    samples: Sequence[Tensors],
    *,
    limit_ns: int,
    window_ns: int,
    clock: ClockNs = time.perf_counter_ns,
) -> WarmUpResult:
    """Run until the latency falls no more.

    Args:
        run: The engine.
        samples: Inputs, taken in turn.
        limit_ns: Time after which it ends all the same.
        window_ns: Time of one stretch of queries.
        clock: Nanoseconds.
    """
    start = clock()
    position = settled = 0
    best = last = float("inf")
    while settled < _SETTLED_STRETCHES and (position == 0 or clock() - start < limit_ns):
        latencies_ns = _stretch(run, samples, position, window_ns, clock)
        position += len(latencies_ns)
        last = statistics.median(latencies_ns)
        # The first stretch has nothing to compare with: best is infinite.
        settled = settled + 1 if last > best * (1 - _FASTER_RATIO) else 0
        best = min(best, last)
    return WarmUpResult(
        query_count=position,
        latency_ns=max(int(last), 1),
        stationary=settled >= _SETTLED_STRETCHES,
    )


def _stretch(
    run: Run, samples: Sequence[Tensors], position: int, window_ns: int, clock: ClockNs
) -> list[int]:
    """Queries for the time of a window, one at least."""
    latencies_ns: list[int] = []
    end = clock() + window_ns
    while not latencies_ns or clock() < end:
        first = position + len(latencies_ns)
        latencies_ns += run_single_stream(run, samples, first=first, count=1, clock=clock)
    return latencies_ns
