"""Energy of a stretch of work: counted where something counts, sampled where nothing does.

Rules:

1. A counter is preferred to samples of power; the source that covers more comes first. Without a
   source that covers the whole of something there is no figure, and the reason is said: never a
   guess from a data sheet.
2. Counters are read at least once a window, so that a wrap is seen; their difference is integrated.
3. Samples are joined by the trapezoid rule. The record states their rate and an error at 95 %: the
   larger of what the spread of the samples leaves open and what leaving out every other sample
   changes. One sample a second can be wrong by 80 % (arXiv 2206.10377), hence the fast rate.
4. A source that falls silent gives no total from then on.
5. Clocks and reading come in as arguments or channels; only :class:`PowerSampler` has a thread.
"""

from __future__ import annotations

import abc
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edgeworthy.devices.sensors import Count, EnergyCounter, FoundSensors, Gauge, Unreadable

#: Above the 350 Hz at which sampling is as good as a meter on the boards of arXiv 2206.10377.
SAMPLE_INTERVAL_S = 0.0025
_FEWEST_SAMPLES = 8
_NORMAL_95 = 1.96
#: How many of the families, from the first, tell energy.
_ENERGY_FAMILIES = 3


@dataclass(frozen=True)
class EnergyTotal:
    """Energy since the beginning.

    Attributes:
        joules: Drawn by all that the source covers.
        error_joules: Half width at 95 %: of the samples, or the steps of the counters.
        duration_s: Time from the first reading to the last.
        sample_count: Readings.
    """

    joules: float
    error_joules: float
    duration_s: float
    sample_count: int


class EnergyMeter(abc.ABC):
    """Energy from one source.

    Attributes:
        source: What it reads, for people.
        is_counted: Whether the source counts; else its power is sampled.
    """

    is_counted: bool

    def __init__(self, source: str) -> None:
        self.source = source
        self._problem: Unreadable | None = None

    @abc.abstractmethod
    def read(self, now_s: float) -> None:
        """Take a reading.

        Args:
            now_s: Seconds from a point that never changes.
        """

    @abc.abstractmethod
    def total(self) -> EnergyTotal | Unreadable:
        """Energy since the first reading, or why it is not known."""


class CountedEnergy(EnergyMeter):
    """Counters, added up.

    Args:
        counters: That do not overlap.
    """

    is_counted = True

    def __init__(self, counters: Sequence[EnergyCounter]) -> None:
        super().__init__(" + ".join(counter.title for counter in counters))
        self._counters = tuple(counters)
        self._last: tuple[Count, ...] | None = None
        self._joules = 0.0
        self._first_s = self._last_s = 0.0
        self._readings = 0

    def read(self, now_s: float) -> None:
        """Add what was counted since the last reading."""
        if self._problem is not None:
            return
        counts: list[Count] = []
        for counter in self._counters:
            found = counter.read()
            if isinstance(found, Unreadable):
                self._problem = found
                return
            counts.append(found)
        if self._last is None:
            self._first_s = now_s
        else:
            pairs = zip(self._counters, self._last, counts, strict=True)
            self._joules += sum(each.joules_between(old, new) for each, old, new in pairs)
        self._last, self._last_s = tuple(counts), now_s
        self._readings += 1

    def total(self) -> EnergyTotal | Unreadable:
        """The sum of all differences."""
        if self._problem is not None:
            return self._problem
        return EnergyTotal(
            joules=self._joules,
            error_joules=sum(counter.resolution_joules for counter in self._counters),
            duration_s=self._last_s - self._first_s,
            sample_count=self._readings,
        )


class SampledEnergy(EnergyMeter):
    """Momentary powers, integrated.

    Args:
        gauges: Of power, that do not overlap.
    """

    is_counted = False

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        super().__init__(" + ".join(gauge.title for gauge in gauges))
        self._gauges = tuple(gauges)
        self._integral = _Trapezoids()
        self._coarse = _Trapezoids()
        self._watts_sum = self._watts_square_sum = 0.0

    def read(self, now_s: float) -> None:
        """Take one sample of every gauge."""
        if self._problem is not None:
            return
        watts = 0.0
        for gauge in self._gauges:
            found = gauge.read()
            if isinstance(found, Unreadable):
                self._problem = found
                return
            watts += found
        if self._integral.count % 2 == 0:
            self._coarse.add(now_s, watts)
        self._integral.add(now_s, watts)
        self._watts_sum += watts
        self._watts_square_sum += watts * watts

    def total(self) -> EnergyTotal | Unreadable:
        """The integral, when there are enough samples to tell its error."""
        if self._problem is not None:
            return self._problem
        count = self._integral.count
        if count < _FEWEST_SAMPLES:
            return Unreadable(f"{self.source}: {count} samples are too few to tell their error")
        mean = self._watts_sum / count
        variance = max(self._watts_square_sum / count - mean * mean, 0.0) * count / (count - 1)
        duration_s = self._integral.duration_s
        spread = _NORMAL_95 * math.sqrt(variance / count) * duration_s
        # Both integrals cover the same time only after an odd number of samples.
        thinned = self._coarse.mean * duration_s
        return EnergyTotal(
            joules=self._integral.area,
            error_joules=max(spread, abs(self._integral.area - thinned)),
            duration_s=duration_s,
            sample_count=count,
        )


class _Trapezoids:
    """The area under points that come in order."""

    def __init__(self) -> None:
        self.count = 0
        self.area = 0.0
        self._first: float | None = None
        self._last = (0.0, 0.0)

    def add(self, now_s: float, watts: float) -> None:
        """One more point."""
        if self._first is None:
            self._first = now_s
        else:
            last_s, last_watts = self._last
            self.area += (now_s - last_s) * (watts + last_watts) / 2
        self._last = (now_s, watts)
        self.count += 1

    @property
    def duration_s(self) -> float:
        """Time from the first point to the last."""
        return 0.0 if self._first is None else self._last[0] - self._first

    @property
    def mean(self) -> float:
        """Mean height."""
        return self.area / self.duration_s if self.duration_s > 0 else self._last[1]


def choose_meter(found: Sequence[FoundSensors]) -> EnergyMeter | Unreadable:
    """The best source of energy that a machine has, or why it has none.

    Args:
        found: What every family has, the surest family first.
    """
    channels = [channel for family in found for channel in family.channels if channel.is_total]
    counters = [each for each in channels if isinstance(each, EnergyCounter)]
    powers = [each for each in channels if isinstance(each, Gauge) and each.quantity == "power"]
    # Sources of two families cover each other in part: only one family is taken.
    if counters:
        return CountedEnergy([each for each in counters if each.sensor == counters[0].sensor])
    if powers:
        return SampledEnergy([each for each in powers if each.sensor == powers[0].sensor])
    problems = [problem for family in found[:_ENERGY_FAMILIES] for problem in family.problems]
    if problems:
        return Unreadable(problems[0].rstrip("."))
    return Unreadable("no sensor of energy or power was found on this machine")


class PowerSampler:
    """Reads a meter at a steady rate while a block runs; counters need no such thing.

    Args:
        meter: What to read.
        clock: Seconds.
        interval_s: Time between two readings.
    """

    def __init__(
        self,
        meter: EnergyMeter,
        *,
        clock: Callable[[], float],
        interval_s: float = SAMPLE_INTERVAL_S,
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._interval_s = interval_s
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def total(self) -> EnergyTotal | Unreadable:
        """A reading now, and the energy up to it."""
        with self._lock:
            self._meter.read(self._clock())
            return self._meter.total()

    def _run(self) -> None:
        while not self._end.wait(self._interval_s):
            with self._lock:
                self._meter.read(self._clock())

    def __enter__(self) -> Self:
        with self._lock:
            self._meter.read(self._clock())
        if not self._meter.is_counted:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
