"""Latency and throughput at several thread counts, batch sizes and groups of processors.

Rules:

1. All settings take turns in an order that is drawn anew for each round; a process of its own for
   each number of threads and group of processors, and one process works at a time.
2. Starts are the independent observations; the interval is the range over them, at the confidence
   that so many support. Ctrl-C keeps the starts that were finished, when the settings say so.
3. The knee is the setting of the lowest latency among those that reach nine tenths of the best
   throughput: beyond it, waiting longer buys next to nothing.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from edgeworthy.documents.sweep import Sweep, SweepPoint
from edgeworthy.errors import UsageError
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.estimates import range_over_starts
from edgeworthy.measurement.interleaving import FEWEST_LAUNCHES_KEPT, nobody
from edgeworthy.measurement.plan import (
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.single_stream import unchanged
from edgeworthy.measurement.starting import Sample, StartedProcess, prepare, start
from edgeworthy.measurement.summary import rfc3339
from edgeworthy.measurement.wire import RunBatches, pack_tensors
from edgeworthy.runtimes import Tensors

_NANOSECONDS = 1_000_000_000
_NS_PER_MS = 1_000_000
_KNEE_SHARE = 0.9
_START_COUNT = 3
_ROUND_COUNT = 5
_TURN_NS = 20_000_000


class Setting(NamedTuple):
    """What is tried: threads and samples of a query, on some processors or wherever it may run."""

    threads: int
    batch: int
    processors: tuple[int, ...] = ()


@dataclass(frozen=True)
class SweepAxes:
    """What is varied.

    Attributes:
        threads: Threads inside one inference.
        batches: Samples of a query.
        processors: Groups of logical processors; an empty one is wherever the process may run.
    """

    threads: tuple[int, ...] = (1,)
    batches: tuple[int, ...] = (1,)
    processors: tuple[tuple[int, ...], ...] = ((),)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if not self.threads or not self.batches or min(self.threads + self.batches) < 1:
            raise UsageError("threads and batches of a sweep are 1 or more")

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every combination, but no more threads than there are processors for."""
        return tuple(
            Setting(threads, batch, group)
            for group in self.processors
            for threads in self.threads
            for batch in self.batches
            if not group or threads <= len(group)
        )

    @property
    def processes(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Threads and processors of each process that is needed."""
        return tuple(dict.fromkeys((each.threads, each.processors) for each in self.settings))


def powers_of_two(largest: int) -> tuple[int, ...]:
    """1, 2, 4 and so on, and the largest itself.

    >>> powers_of_two(6), powers_of_two(1)
    ((1, 2, 4, 6), (1,))
    """
    powers = {1 << exponent for exponent in range(largest.bit_length())}
    return tuple(sorted({*(power for power in powers if power <= largest), largest}))


def sweep(
    plan: MeasurementPlan,
    settings: MeasurementSettings,
    axes: SweepAxes,
    circumstances: Circumstances,
    *,
    inputs: Sequence[Tensors] | None = None,
    progress: ProgressListener | None = None,
) -> Sweep:
    """Measure an artefact at every pair of threads and batch.

    Args:
        plan: What to measure; its threads do not count.
        settings: How thoroughly; starts are three when left out.
        axes: What is varied.
        circumstances: Where and when.
        inputs: Model-ready tensors, one sample each; random ones when left out.
        progress: Told after every round.

    Raises:
        ModelFileError: An engine cannot read the artefact.
        InferenceError: An engine failed on it, or its process ended.
        MeasurementError: A process fell silent, answers were wrong, or the file changed.
    """
    taken_at = circumstances.clock()
    samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
    runs = _Runs(plan, settings, axes, samples)
    start_count = settings.launches or _START_COUNT
    with unchanged([plan.artifact]):
        try:
            for number in range(start_count):
                for done_ratio, latest_ms in runs.run_start():
                    told = MeasurementProgress(
                        launch=number + 1,
                        launch_count=start_count,
                        done_ratio=(number + done_ratio) / start_count,
                        latest_ms=(latest_ms,),
                    )
                    (progress or nobody)(told)
        except KeyboardInterrupt:
            if not settings.keeps_partial or runs.finished_count < FEWEST_LAUNCHES_KEPT:
                raise
    return Sweep(
        artifact=plan.digest,
        variant=plan.variant,
        runtime=runs.runtime_version,
        affinity=runs.affinity,
        points=points_of(runs.found),
        start_count=runs.finished_count,
        host=circumstances.host,
        seed=settings.seed,
        taken_at=rfc3339(taken_at),
        expires_at=rfc3339(taken_at + timedelta(days=settings.evidence_days)),
        disturbances=circumstances.disturbances,
        partial=runs.finished_count < start_count,
    )


class _Runs:
    """The turns of all settings."""

    def __init__(
        self,
        plan: MeasurementPlan,
        settings: MeasurementSettings,
        axes: SweepAxes,
        samples: tuple[Sample, ...],
    ) -> None:
        self._plan, self._settings, self._axes = plan, settings, axes
        self._samples = samples
        self._generator = np.random.default_rng(settings.seed)
        self.runtime_version = ""
        self.finished_count = 0
        self.affinity: tuple[int, ...] = ()
        #: Median latency of a query in nanoseconds, one per start.
        self.found: dict[Setting, list[float]] = defaultdict(list)

    def run_start(self) -> Iterator[tuple[float, float]]:
        """One start of every number of threads; yields the share done and the last latency."""
        medians: dict[Setting, list[float]] = defaultdict(list)
        with contextlib.ExitStack() as stack:
            processes = self._axes.processes
            started = {
                processes[index]: self._start(stack, *processes[index])
                for index in self._generator.permutation(len(processes)).tolist()
            }
            for number in range(_ROUND_COUNT):
                for index in self._generator.permutation(len(self._axes.settings)).tolist():
                    setting = self._axes.settings[index]
                    latency_ns = self._turn(started, setting, number)
                    medians[setting].append(latency_ns)
                yield (number + 1) / _ROUND_COUNT, latency_ns / _NS_PER_MS
        self.finished_count += 1
        for setting, latencies_ns in medians.items():
            self.found[setting].append(float(np.median(latencies_ns)))

    def _start(
        self, stack: contextlib.ExitStack, threads: int, processors: tuple[int, ...]
    ) -> StartedProcess:
        plan = replace(self._plan, threads=threads, processors=processors)
        child = stack.enter_context(
            ChildProcess(plan, reply_timeout_s=self._settings.reply_timeout_s)
        )
        prepared = prepare(child, plan, self._settings, samples=self._samples)
        self.runtime_version = prepared.runtime_version
        self.affinity = tuple(sorted({*self.affinity, *prepared.affinity}))
        return start(child, plan, self._settings, prepared)

    def _turn(
        self,
        started: Mapping[tuple[int, tuple[int, ...]], StartedProcess],
        setting: Setting,
        number: int,
    ) -> float:
        batch = setting.batch
        process = started[setting.threads, setting.processors]
        count = max(2, min(round(_TURN_NS / (process.latency_ns * batch)), 10_000))
        request = RunBatches(first=number * count * batch, count=count, batch=batch)
        latencies_ns, _ = process.run(request)
        # The first query finds the caches as another setting left them.
        return float(np.median(latencies_ns[1:]))


def points_of(found: Mapping[Setting, Sequence[float]]) -> tuple[SweepPoint, ...]:
    """The points of a sweep, with its knee marked.

    Args:
        found: Median latency of a query in nanoseconds, one per start, by setting.
    """
    latencies_ms = {setting: np.array(found[setting]) / _NS_PER_MS for setting in sorted(found)}
    rates = {setting: setting.batch * 1000 / each for setting, each in latencies_ms.items()}
    best = max(float(np.median(rate)) for rate in rates.values())
    fast = [each for each, rate in rates.items() if np.median(rate) >= _KNEE_SHARE * best]
    knee = min(fast, key=lambda setting: float(np.median(latencies_ms[setting])))
    return tuple(
        SweepPoint(
            threads=setting.threads,
            batch=setting.batch,
            processors=setting.processors,
            latency_ms=range_over_starts(latencies_ms[setting].tolist(), unit="ms"),
            throughput_hz=range_over_starts(rates[setting].tolist(), unit="samples/s"),
            is_knee=setting == knee,
        )
        for setting in latencies_ms
    )
