"""Measure one artefact under MLPerf's MultiStream, Server or Offline load.

Rules:

1. Starts are the independent observations, as everywhere in this room: six of them for MultiStream
   and Offline, whose intervals come from the starts.
2. Server: the highest rate is searched for in one start by halving the gap between a rate that held
   and one that did not, and must then hold in further starts; where it does not, a lower one is
   tried. A rate holds when MLPerf's early stopping is sure at 99 % confidence.
3. Ctrl-C keeps the starts of MultiStream and Offline that were finished, when the settings say so;
   half a search says nothing.
4. Server's queries have one sample, and one query is worked on at a time.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from edgeworthy.devices import HostWatch
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.load import LoadMeasurement, LoadScenario, RateAttempt
from edgeworthy.documents.measurement import Percentile
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.estimates import percentiles_of, range_over_starts
from edgeworthy.measurement.interleaving import FEWEST_LAUNCHES_KEPT
from edgeworthy.measurement.plan import (
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.single_stream import unchanged
from edgeworthy.measurement.starting import StartedProcess, prepare, start
from edgeworthy.measurement.summary import rfc3339
from edgeworthy.measurement.wire import RunBatches, RunServer, pack_tensors
from edgeworthy.runtimes import Tensors
from edgeworthy.statistics.order_statistics import (
    Refusal,
    over_latency_allowed,
    percentile_interval,
    queries_needed_early_stopping,
)

_NANOSECONDS = 1_000_000_000
_NS_PER_MS = 1_000_000
_MEDIAN = 50.0
_SEARCH_PRECISION = 0.03
_FIRST_SHARE = 0.5
_LOWER_RATIO = 0.95
_CONFIRM_STARTS = 3
_MOST_LOWERINGS = 8
_SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class LoadOptions:
    """The load.

    Attributes:
        scenario: MLPerf's name.
        samples_per_query: Samples of a query: MultiStream, Offline.
        latency_bound_ms: Server: what a query may take.
        bound_percent: Server: share of queries, in per cent, that must keep the bound.
    """

    scenario: LoadScenario
    samples_per_query: int = 8
    latency_bound_ms: float = 10.0
    bound_percent: float = 99.0


def measure_load(
    plan: MeasurementPlan,
    settings: MeasurementSettings,
    load: LoadOptions,
    circumstances: Circumstances,
    *,
    inputs: Sequence[Tensors] | None = None,
    progress: ProgressListener | None = None,
) -> LoadMeasurement:
    """Latency and throughput of an artefact under a load.

    Args:
        plan: What to measure.
        settings: How thoroughly.
        load: The load.
        circumstances: Where and when.
        inputs: Model-ready tensors, one sample each; random ones when left out.
        progress: Told after every piece.

    Raises:
        ModelFileError: An engine cannot read the artefact.
        InferenceError: An engine failed on it, or its process ended.
        MeasurementError: A process fell silent, answers were wrong, or the file changed.
    """
    taken_at = circumstances.clock()
    runs = _Runs(plan, settings, load, inputs, progress or (lambda _state: None))
    with unchanged([plan.artifact]), HostWatch() as watch:
        found = runs.server() if load.scenario == "Server" else runs.batches()
    return LoadMeasurement(
        artifact=plan.digest,
        variant=plan.variant,
        runtime=runs.runtime_version,
        threads=plan.threads,
        affinity=runs.affinity,
        scenario=load.scenario,
        samples_per_query=1 if load.scenario == "Server" else load.samples_per_query,
        query_count=found.query_count,
        throughput_hz=found.throughput_hz,
        percentiles=found.percentiles,
        latency_bound_ms=load.latency_bound_ms if load.scenario == "Server" else None,
        bound_percent=load.bound_percent if load.scenario == "Server" else None,
        rate_hz=found.rate_hz,
        attempts=tuple(runs.attempts),
        checked_count=runs.checked_count,
        host=circumstances.host,
        seed=settings.seed,
        taken_at=rfc3339(taken_at),
        expires_at=rfc3339(taken_at + timedelta(days=settings.evidence_days)),
        disturbances=(*circumstances.disturbances, *watch.sentences),
        partial=runs.partial,
    )


@dataclass(frozen=True)
class _Found:
    query_count: int
    throughput_hz: Estimate | None
    percentiles: tuple[Percentile, ...]
    rate_hz: float | None = None


class _Runs:
    """The starts of one artefact, and what they showed."""

    def __init__(
        self,
        plan: MeasurementPlan,
        settings: MeasurementSettings,
        load: LoadOptions,
        inputs: Sequence[Tensors] | None,
        progress: ProgressListener,
    ) -> None:
        self._plan, self._settings, self._load = plan, settings, load
        self._samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
        self._progress = progress
        self.runtime_version = ""
        self.affinity: tuple[int, ...] = ()
        self.attempts: list[RateAttempt] = []
        self.checked_count = 0
        self.partial = False
        self._seed = settings.seed

    @contextlib.contextmanager
    def _started(self) -> Iterator[StartedProcess]:
        settings = self._settings
        with ChildProcess(self._plan, reply_timeout_s=settings.reply_timeout_s) as child:
            prepared = prepare(child, self._plan, settings, samples=self._samples)
            self.runtime_version, self.affinity = prepared.runtime_version, prepared.affinity
            started = start(child, self._plan, settings, prepared)
            yield started
            self.checked_count += started.checked.checked_count

    def batches(self) -> _Found:
        """MultiStream and Offline: the same work, another figure."""
        groups_ms: list[NDArray[np.float64]] = []
        rates: list[float] = []
        settings, batch = self._settings, self._load.samples_per_query
        starts = settings.launch_count
        try:
            for number in range(starts):
                with self._started() as started:
                    count = self._query_count(started.latency_ns * batch, starts)
                    request = RunBatches(first=number * count * batch, count=count, batch=batch)
                    latencies_ns, reply = started.run(request)
                groups_ms.append(latencies_ns / _NS_PER_MS)
                rates.append(count * batch * _NANOSECONDS / reply.elapsed_ns)
                self._tell(number + 1, starts, float(np.median(groups_ms[-1])))
        except KeyboardInterrupt:
            if not settings.keeps_partial or len(rates) < FEWEST_LAUNCHES_KEPT:
                raise
            self.partial = True
        throughput: Estimate | Refusal = (
            range_over_starts(rates, unit="samples/s")
            if self.partial
            else percentile_interval(
                np.sort(rates), _MEDIAN, confidence=max(settings.confidences), unit="samples/s"
            )
        )
        offline = self._load.scenario == "Offline"
        return _Found(
            query_count=sum(len(group) for group in groups_ms),
            throughput_hz=None if isinstance(throughput, Refusal) else throughput,
            percentiles=() if offline else percentiles_of(groups_ms, settings),
        )

    def _query_count(self, latency_ns: int, starts: int) -> int:
        """Queries of one start: enough for count and time, within the budget."""
        settings = self._settings
        latency_s = max(latency_ns, 1) / _NANOSECONDS
        wanted = max(settings.query_count / starts, settings.minimum_s / starts / latency_s)
        return max(1, math.ceil(min(wanted, settings.budget_s / starts / latency_s)))

    def server(self) -> _Found:
        """The highest rate that holds."""
        with self._started() as started:
            capacity_hz = _NANOSECONDS / started.latency_ns
            rate_hz = self._search(started, capacity_hz)
        for _ in range(_MOST_LOWERINGS):
            if rate_hz is None:
                break
            groups_ms = self._confirm(rate_hz)
            if groups_ms is not None:
                achieved = [one.achieved_hz for one in self.attempts[-_CONFIRM_STARTS:]]
                return _Found(
                    query_count=sum(len(group) for group in groups_ms),
                    throughput_hz=range_over_starts(achieved, unit="samples/s"),
                    percentiles=percentiles_of(groups_ms, self._settings),
                    rate_hz=rate_hz,
                )
            rate_hz *= _LOWER_RATIO
        return _Found(query_count=0, throughput_hz=None, percentiles=())

    def _search(self, started: StartedProcess, capacity_hz: float) -> float | None:
        held, failed = 0.0, capacity_hz
        rate_hz = capacity_hz * _FIRST_SHARE
        while rate_hz > capacity_hz * _SMALLEST_SHARE:
            attempt, _ = self._attempt(started, rate_hz, start_number=1)
            if attempt.held:
                held = rate_hz
            else:
                failed = rate_hz
            if held and failed - held <= _SEARCH_PRECISION * failed:
                break
            rate_hz = (held + failed) / 2
        return held or None

    def _confirm(self, rate_hz: float) -> list[NDArray[np.float64]] | None:
        groups_ms = []
        for number in range(_CONFIRM_STARTS):
            with self._started() as started:
                attempt, latencies_ms = self._attempt(started, rate_hz, start_number=number + 2)
            if not attempt.held:
                return None
            groups_ms.append(latencies_ms)
        return groups_ms

    def _attempt(
        self, started: StartedProcess, rate_hz: float, *, start_number: int
    ) -> tuple[RateAttempt, NDArray[np.float64]]:
        percent = self._load.bound_percent
        count = self._arrival_count(rate_hz)
        allowed = over_latency_allowed(count, percent)
        bound_ns = int(self._load.latency_bound_ms * _NS_PER_MS)
        self._seed += 1
        request = RunServer(
            rate_hz=rate_hz,
            count=count,
            seed=self._seed,
            bound_ns=bound_ns,
            over_allowed=max(allowed, 0),
        )
        latencies_ns, reply = started.run(request)
        over = int((latencies_ns > bound_ns).sum())
        attempt = RateAttempt(
            rate_hz=rate_hz,
            achieved_hz=len(latencies_ns) * _NANOSECONDS / max(reply.elapsed_ns, 1),
            query_count=len(latencies_ns),
            over_latency_count=over,
            held=len(latencies_ns) == count and over <= allowed,
            start=start_number,
        )
        self.attempts.append(attempt)
        self._tell(start_number, 1 + _CONFIRM_STARTS, float(np.median(latencies_ns)) / _NS_PER_MS)
        return attempt, latencies_ns / _NS_PER_MS

    def _arrival_count(self, rate_hz: float) -> int:
        """Queries of one attempt: enough for early stopping, and for a second of arrivals."""
        percent = self._load.bound_percent
        least = early_stopping_count(percent)
        return max(least, math.ceil(min(rate_hz * self._settings.minimum_s, 100_000)))

    def _tell(self, number: int, count: int, latest_ms: float) -> None:
        self._progress(
            MeasurementProgress(
                launch=number, launch_count=count, done_ratio=number / count, latest_ms=(latest_ms,)
            )
        )


def early_stopping_count(percent: float) -> int:
    """Queries after which early stopping believes a percentile when a few were over the bound.

    >>> early_stopping_count(99)
    1001
    """
    return queries_needed_early_stopping(percent, over_latency_count=3)
