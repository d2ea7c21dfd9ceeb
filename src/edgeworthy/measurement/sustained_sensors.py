"""What the sensors say during a sustained run: heat, clocks, and the books of its energy.

Rules:

1. The hottest sensor counts, and the mean of the clocks of all cores.
2. Energy is a figure only when the idle power and the whole run were measured; anything less is a
   reason, not a figure.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgeworthy.devices.sensors import FoundSensors, Gauge, Unreadable
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.sustained import EnergyUse
from edgeworthy.measurement.energy import EnergyMeter, EnergyTotal, PowerSampler, choose_meter

_MILLI = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class RunSensors:
    """The sensors that a run watches.

    Attributes:
        meter: Of the run's energy, or why there is none.
        idle_meter: A second one, for the time before; absent when there is none.
        temperatures: Channels in degrees Celsius.
        clocks: Channels in MHz.
    """

    meter: EnergyMeter | Unreadable
    idle_meter: EnergyMeter | None
    temperatures: tuple[Gauge, ...]
    clocks: tuple[Gauge, ...]

    def temperature_c(self) -> float | None:
        """Of the hottest sensor now."""
        return max(_figures(self.temperatures), default=None)

    def frequency_mhz(self) -> float | None:
        """Mean clock of the cores now."""
        found = _figures(self.clocks)
        return sum(found) / len(found) if found else None


def found_sensors(found: Sequence[FoundSensors]) -> RunSensors:
    """Choose among what a machine has."""
    gauges = [each for family in found for each in family.channels if isinstance(each, Gauge)]
    idle = choose_meter(found)
    return RunSensors(
        meter=choose_meter(found),
        idle_meter=None if isinstance(idle, Unreadable) else idle,
        temperatures=tuple(each for each in gauges if each.quantity == "temperature"),
        clocks=tuple(each for each in gauges if each.quantity == "frequency"),
    )


def _figures(gauges: Sequence[Gauge]) -> list[float]:
    readings = (gauge.read() for gauge in gauges)
    return [each for each in readings if not isinstance(each, Unreadable)]


class EnergyBook:
    """The energy of a run: before it, in each window, and in all.

    Args:
        meter: Of the run, or why there is none.
    """

    def __init__(self, meter: EnergyMeter | Unreadable) -> None:
        self._meter = meter
        self._sampler: PowerSampler | None = None
        self._idle: EnergyTotal | None = None
        self._total: EnergyTotal | None = None
        self._last_joules = 0.0
        self.refusal = meter.problem if isinstance(meter, Unreadable) else ""

    def note_idle(self, total: EnergyTotal | Unreadable) -> None:
        """The energy of the time before the run."""
        if isinstance(total, Unreadable):
            self.refusal = total.problem
        else:
            self._idle = total

    @contextlib.contextmanager
    def open(self, clock: Callable[[], float]) -> Iterator[None]:
        """Measure while the block runs.

        Args:
            clock: Seconds.
        """
        if isinstance(self._meter, Unreadable):
            yield
            return
        with PowerSampler(self._meter, clock=clock) as sampler:
            self._sampler = sampler
            yield
            self._note(sampler.total())

    def since_last(self) -> float | None:
        """Energy since the last call; absent when it is not known."""
        if self._sampler is None:
            return None
        total = self._sampler.total()
        if isinstance(total, Unreadable):
            self.refusal = total.problem
            return None
        joules, self._last_joules = total.joules - self._last_joules, total.joules
        return joules

    def use(self, query_count: int) -> EnergyUse | None:
        """The energy of the whole run, when all of it is known.

        Args:
            query_count: Queries that were answered.
        """
        total, idle = self._total, self._idle
        if isinstance(self._meter, Unreadable) or total is None or idle is None or not query_count:
            return None
        idle_watts = idle.joules / idle.duration_s
        idle_error = idle.error_joules / idle.duration_s * total.duration_s
        above = total.joules - idle_watts * total.duration_s
        method = "counter-steps" if self._meter.is_counted else "sampled-trapezoid"
        rate_hz = (total.sample_count - 1) / total.duration_s
        return EnergyUse(
            source=self._meter.source,
            method="counted" if self._meter.is_counted else "sampled",
            sample_rate_hz=None if self._meter.is_counted else rate_hz,
            joules=total.joules,
            error_joules=total.error_joules,
            duration_s=total.duration_s,
            idle_watts=idle_watts,
            per_inference_mj=_each(total.joules, total.error_joules, query_count, method),
            above_idle_per_inference_mj=_each(
                above, total.error_joules + idle_error, query_count, f"{method}-idle"
            ),
        )

    def _note(self, total: EnergyTotal | Unreadable) -> None:
        if isinstance(total, Unreadable):
            self.refusal = total.problem
        else:
            self._total = total


def _each(joules: float, error_joules: float, query_count: int, method: str) -> Estimate:
    value, error = joules / query_count * _MILLI, error_joules / query_count * _MILLI
    return Estimate(
        value=value,
        low=value - error,
        high=value + error,
        confidence=_CONFIDENCE,
        n=query_count,
        method=method,
        unit="mJ",
    )
