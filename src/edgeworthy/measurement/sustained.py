"""Run one artefact without pause for minutes, and watch what becomes of its speed.

Rules:

1. One process runs it, in MLPerf's SingleStream scenario; windows follow each other without a gap.
   A window's throughput counts all of its time, whatever stood still in it.
2. Sensors are read between two requests; where there is none there is no figure, with the reason.
3. Ctrl-C keeps what was measured: the record is marked as partial.
4. Time lost to others, to a control group or to heat meanwhile is said in the record.
5. A file that changes while it runs gives no figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.devices import HostWatch, find_sensors
from edgeworthy.devices.counters import process_cpu_s
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.sustained import SustainedRun, SustainedWindow
from edgeworthy.errors import UsageError
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.energy import PowerSampler
from edgeworthy.measurement.golden import Checked, refuse_wrong
from edgeworthy.measurement.plan import MeasurementPlan
from edgeworthy.measurement.single_stream import unchanged
from edgeworthy.measurement.starting import Sample
from edgeworthy.measurement.sustained_findings import findings_of
from edgeworthy.measurement.sustained_loss import WindowLoss
from edgeworthy.measurement.sustained_sensors import EnergyBook, RunSensors, found_sensors
from edgeworthy.measurement.sustained_watch import ThrottleWatch
from edgeworthy.measurement.wire import (
    Latencies,
    Load,
    Loaded,
    MemoryRead,
    Prepare,
    Prepared,
    ReadMemory,
    RunQueries,
    WarmedUp,
    WarmUp,
    pack_tensors,
)
from edgeworthy.runtimes import Tensors

_NANOSECONDS = 1_000_000_000
_NS_PER_MS = 1_000_000
_MIB = 1024 * 1024
_GENERATED_COUNT = 8
_WARM_UP_WINDOW_NS = 20_000_000
_REQUESTS_PER_WINDOW = 5
_LONGEST_REQUEST_QUERIES = 100_000
_TENTH = 10


@dataclass(frozen=True)
class SustainedSettings:
    """How long, and in what steps.

    Attributes:
        duration_s: Time under load.
        window_s: Length of a window.
        idle_s: Time that the idle power is measured for, where there is a sensor.
        warm_up_limit_s: Seconds after which warming up ends even if the latency still falls.
        seed: Of generated inputs.
        evidence_days: Days until the figures expire.
        reply_timeout_s: Silence of the child process after which it is ended.
        golden: Right outputs of each sample, by name; timed answers are held against them.
        tolerance: Share of the largest golden value of an output that a value may be off.
    """

    duration_s: float
    window_s: float = 0.5
    idle_s: float = 3.0
    warm_up_limit_s: float = 1.0
    seed: int = 0
    evidence_days: int = 90
    reply_timeout_s: float = 120.0
    golden: Sequence[Tensors] = ()
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse what cannot show anything."""
        if not 0 < self.window_s <= self.duration_s:
            raise UsageError(
                "a sustained run must last for a window at least",
                expected=f"{self.window_s:g} s or more",
                found=f"{self.duration_s:g} s",
                next_step="Ask for some minutes: heat takes its time",
            )


@dataclass(frozen=True)
class SustainedProgress:
    """What is known while it runs.

    Attributes:
        window: The latest.
        elapsed_s: Time under load so far.
        asked_s: Time that was asked for.
        throttled_since_s: When the watch gave alarm; absent while the throughput is not down.
    """

    window: SustainedWindow
    elapsed_s: float
    asked_s: float
    throttled_since_s: float | None


SustainedListener: TypeAlias = Callable[[SustainedProgress], None]


@dataclass(frozen=True)
class Machine:
    """The machine that it runs on, as far as this room may know it.

    Attributes:
        host: What it is.
        clock: Now, with a time zone.
        disturbances: What made it less than quiet before.
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
        monotonic: Seconds from a point that never changes.
        rest: Waits for some seconds.
    """

    host: HostFingerprint
    clock: Callable[[], datetime]
    disturbances: tuple[str, ...] = ()
    root: Path = Path("/")
    monotonic: Callable[[], float] = time.monotonic
    rest: Callable[[float], None] = time.sleep


def sustained(
    plan: MeasurementPlan,
    settings: SustainedSettings,
    *,
    machine: Machine,
    inputs: Sequence[Tensors] | None = None,
    listener: SustainedListener | None = None,
) -> SustainedRun:
    """Throughput, latency, temperature, clock and energy of an artefact over time.

    Args:
        plan: What to run.
        settings: How long.
        machine: Where.
        inputs: Model-ready tensors, one sample (batch of 1) each; random ones when left out.
        listener: Told after every window.

    Raises:
        ModelFileError: The engine cannot read the artefact.
        InferenceError: The engine failed on it, or its process ended.
        MeasurementError: The process fell silent, answers were wrong, or the file changed.
    """
    taken_at = machine.clock()
    samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
    with (
        unchanged([plan.artifact]),
        ChildProcess(plan, reply_timeout_s=settings.reply_timeout_s) as child,
    ):
        run = _Run(child, settings, machine, listener)
        run.start(plan, samples)
        run.stay_idle()
        run.go_on()
        memory_mib = None if run.partial else run.peak_memory_mib()
    return _document(plan, settings, run, taken_at=taken_at, memory_mib=memory_mib)


def _document(
    plan: MeasurementPlan,
    settings: SustainedSettings,
    run: _Run,
    *,
    taken_at: datetime,
    memory_mib: float | None,
) -> SustainedRun:
    windows = tuple(run.windows)
    findings = findings_of(windows, alarms_s=run.watch.alarms_s)
    return SustainedRun(
        artifact=plan.digest,
        variant=plan.variant,
        target=plan.target,
        runtime=run.runtime_version,
        threads=plan.threads,
        asked_s=settings.duration_s,
        windows=windows,
        retention=findings.retention,
        retention_refusal=findings.retention_refusal,
        throttling=findings.throttling,
        steady=findings.steady,
        energy=run.energy.use(sum(each.query_count for each in windows)),
        energy_refusal=run.energy.refusal,
        peak_memory_mib=memory_mib,
        host=run.machine.host,
        taken_at=_rfc3339(taken_at),
        expires_at=_rfc3339(taken_at + timedelta(days=settings.evidence_days)),
        disturbances=(*run.machine.disturbances, *run.lost),
        partial=run.partial,
        checked_count=run.checked_count,
    )


class _Run:
    """The load, window by window."""

    def __init__(
        self,
        child: ChildProcess,
        settings: SustainedSettings,
        machine: Machine,
        listener: SustainedListener | None,
    ) -> None:
        self._child = child
        self._settings = settings
        self.machine = machine
        self._listener = listener
        self._sensors: RunSensors = found_sensors(find_sensors(machine.root))
        self.energy = EnergyBook(self._sensors.meter)
        self.watch = ThrottleWatch()
        self.windows: list[SustainedWindow] = []
        self.partial = False
        self.lost: tuple[str, ...] = ()
        self.runtime_version = ""
        self.checked_count = 0
        self._latency_ns = 1
        self._position = 0
        self._end_s = 0.0
        self._spent_s = 0.0
        self._lost = WindowLoss(machine.root, child.process_id, self._own_cpu_s)

    def start(self, plan: MeasurementPlan, samples: tuple[Sample, ...]) -> None:
        """Load the artefact and run until the latency falls no more."""
        prepare = Prepare(
            runtime=plan.runtime,
            samples=samples,
            seed=self._settings.seed,
            generated_count=_GENERATED_COUNT,
            golden=tuple(pack_tensors(outputs) for outputs in self._settings.golden),
            tolerance=self._settings.tolerance,
        )
        self.runtime_version = self._child.ask(prepare, Prepared).runtime_version
        self._child.ask(Load(artifact=str(plan.artifact), threads=plan.threads), Loaded)
        limit_ns = int(self._settings.warm_up_limit_s * _NANOSECONDS)
        warm = self._child.ask(WarmUp(limit_ns=limit_ns, window_ns=_WARM_UP_WINDOW_NS), WarmedUp)
        self._latency_ns = warm.latency_ns

    def stay_idle(self) -> None:
        """Measure the power while nothing runs, where there is a sensor."""
        meter = self._sensors.idle_meter
        if meter is None:
            return
        self._child.pause()
        with PowerSampler(meter, clock=self.machine.monotonic) as sampler:
            self.machine.rest(self._settings.idle_s)
            self.energy.note_idle(sampler.total())
        self._child.resume()

    def go_on(self) -> None:
        """Fill windows until the time is over or Ctrl-C."""
        machine = self.machine
        watch = HostWatch(machine.root, monotonic=machine.monotonic, own_cpu_s=self._own_cpu_s)
        start_s = machine.monotonic()
        self._spent_s = process_cpu_s(self._child.process_id)
        self._lost.reset()
        with watch, self.energy.open(machine.monotonic):
            try:
                while machine.monotonic() - start_s < self._settings.duration_s:
                    self._fill_window(start_s)
            except KeyboardInterrupt:
                self.partial = True
        self.lost = watch.sentences

    def peak_memory_mib(self) -> float:
        """Largest resident memory of the process."""
        return self._child.ask(ReadMemory(), MemoryRead).peak_memory_bytes / _MIB

    def _own_cpu_s(self) -> float:
        return time.process_time() + process_cpu_s(self._child.process_id)

    def _fill_window(self, start_s: float) -> None:
        settings = self._settings
        begun_s = self._end_s or start_s
        replies: list[Latencies] = []
        while not replies or self._end_s - begun_s < settings.window_s:
            replies.append(self._request())
            self._end_s = self.machine.monotonic()
        window = self._window(
            replies,
            start_s=begun_s - start_s,
            duration_s=self._end_s - begun_s,
        )
        self.windows.append(window)
        throttled_since_s = self.watch.see(window)
        if self._listener is not None:
            self._listener(
                SustainedProgress(
                    window=window,
                    elapsed_s=self._end_s - start_s,
                    asked_s=settings.duration_s,
                    throttled_since_s=throttled_since_s,
                )
            )

    def _request(self) -> Latencies:
        """What the queries of one request showed."""
        share_ns = self._settings.window_s * _NANOSECONDS / _REQUESTS_PER_WINDOW
        count = min(max(int(share_ns / self._latency_ns), 1), _LONGEST_REQUEST_QUERIES)
        reply = self._child.ask(
            RunQueries(first=self._position, count=count, settle_count=0, is_accounted=True),
            Latencies,
        )
        self._position += count
        found = Checked(reply.checked_count, reply.wrong_count, reply.largest_miss)
        refuse_wrong(found, where=self._child.title, tolerance=self._settings.tolerance)
        self.checked_count += found.checked_count
        self._latency_ns = max(int(latencies_of(reply).mean()), 1)
        return reply

    def _window(
        self, replies: Sequence[Latencies], *, start_s: float, duration_s: float
    ) -> SustainedWindow:
        ordered = np.sort(np.concatenate([latencies_of(each) for each in replies])) / _NS_PER_MS
        spent_s, self._spent_s = self._spent_s, process_cpu_s(self._child.process_id)
        waited_s = _total_s([each.waited_ns for each in replies])
        paused_s = self._lost.paused_s()
        ninetieth = 0.9 if len(ordered) >= _TENTH else 1.0
        return SustainedWindow(
            start_s=start_s,
            duration_s=duration_s,
            query_count=len(ordered),
            p50_ms=float(np.median(ordered)),
            p90_ms=float(np.quantile(ordered, ninetieth, method="inverted_cdf")),
            temperature_c=self._sensors.temperature_c(),
            frequency_mhz=self._sensors.frequency_mhz(),
            energy_joules=self.energy.since_last(),
            cpu_cores=(self._spent_s - spent_s) / duration_s if self._spent_s else None,
            load_s=sum(each.elapsed_ns for each in replies) / _NANOSECONDS,
            cpu_s=_total_s([each.cpu_ns for each in replies]),
            # A pause by a quota is waiting too, but not for others.
            waited_s=None if waited_s is None else max(waited_s - (paused_s or 0.0), 0.0),
            paused_s=paused_s,
            others_cores=self._lost.others_cores(duration_s),
        )


def latencies_of(reply: Latencies) -> NDArray[np.int64]:
    """Latencies in nanoseconds."""
    return np.frombuffer(reply.data, dtype="<i8")


def _total_s(parts_ns: Sequence[int | None]) -> float | None:
    known = [each for each in parts_ns if each is not None]
    return sum(known) / _NANOSECONDS if len(known) == len(parts_ns) else None


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
