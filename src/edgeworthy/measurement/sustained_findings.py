"""What the windows of a sustained run say: throttling, steady state, retention.

Rules:

1. Throttling is a change to a lower level: by 5 % or more, for at least three windows. It begins
   where the split into levels says, and ends when a level within 5 % of the one before comes back.
2. A fall is put down to less processor time when that explains more than half of it, in
   logarithms; else each query became slower, as under heat.
3. Depth is what was lost from onset to end: queries over time, not the median of windows, so that
   a process that stands still part of the time is counted as it is.
4. Retention compares six pieces of the last part with six of the first, by signed ranks.
5. The watch that runs along adds up how far windows lie below the level so far (CUSUM, Page,
   Biometrika 41 (1954)); it gives alarm within a few windows and is never the last word.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.sustained import SteadyState, SustainedWindow, Throttling
from edgeworthy.measurement.sustained_levels import (
    SHORTEST_LEVEL,
    Level,
    find_levels,
    stationary_from,
)
from edgeworthy.statistics.order_statistics import Refusal
from edgeworthy.statistics.paired_ratio import paired_ratio

#: A smaller loss of throughput is not called throttling.
LEAST_DEPTH = 0.05
_PIECES = 6
_PART_S = 30.0
_PART_SHARE = 0.25
_CONFIDENCE = 0.95
_WATCH_ALLOWANCE = 0.025
_WATCH_ALARM = 0.25
_WATCH_DEVIATIONS = 4.0
_WATCH_LEARNS = 5
_LARGEST_SHARE = 0.6
_MAD_TO_SIGMA = 1.4826
_CLOCK_FELL = 0.03


@dataclass(frozen=True)
class SustainedFindings:
    """What all windows say together."""

    throttling: Throttling | None
    steady: SteadyState | None
    retention: Estimate | None
    retention_refusal: str


def findings_of(
    windows: Sequence[SustainedWindow], *, alarms_s: Sequence[float] = ()
) -> SustainedFindings:
    """Judge a run.

    Args:
        windows: In order.
        alarms_s: When the watch gave alarm.
    """
    retention = _retention(windows)
    steady = throttling = None
    if windows:
        throughputs = _throughputs(windows)
        levels = find_levels(throughputs, least_change=LEAST_DEPTH)
        throttling = _throttling(windows, levels, alarms_s)
        steady = _steady(windows, stationary_from(throughputs, levels))
    return SustainedFindings(
        throttling=throttling,
        steady=steady,
        retention=None if isinstance(retention, Refusal) else retention,
        retention_refusal=retention.reason if isinstance(retention, Refusal) else "",
    )


def _throughputs(windows: Sequence[SustainedWindow]) -> NDArray[np.float64]:
    return np.array([window.throughput_per_s for window in windows])


def _rate(windows: Sequence[SustainedWindow]) -> float:
    return sum(each.query_count for each in windows) / sum(each.duration_s for each in windows)


def _throttling(
    windows: Sequence[SustainedWindow], levels: Sequence[Level], alarms_s: Sequence[float]
) -> Throttling | None:
    fallen = _first_fall(levels)
    if fallen is None:
        return None
    reference = levels[fallen - 1].height
    back = [level for level in levels[fallen:] if level.height > reference * (1 - LEAST_DEPTH)]
    first = levels[fallen].first
    end = back[0].first if back else len(windows)
    before, during = windows[levels[fallen - 1].first : first], windows[first:end]
    onset_s = windows[first].start_s
    return Throttling(
        onset_s=onset_s,
        end_s=windows[end].start_s if back else None,
        noticed_s=_noticed_s(windows, first, alarms_s),
        before_per_s=_rate(before),
        during_per_s=_rate(during),
        depth_ratio=1 - _rate(during) / _rate(before),
        cause=_cause(before, during),
        taken_away=_is_taken_away(before, during),
    )


def _noticed_s(
    windows: Sequence[SustainedWindow], first: int, alarms_s: Sequence[float]
) -> float | None:
    """The first alarm that belongs to a fall: the split may set its onset a little late."""
    earliest_s = windows[max(first - SHORTEST_LEVEL, 0)].start_s
    return next((each for each in alarms_s if each > earliest_s), None)


def _first_fall(levels: Sequence[Level]) -> int | None:
    """Index of the first level that lies below the one before it."""
    for index in range(1, len(levels)):
        if levels[index].height < levels[index - 1].height * (1 - LEAST_DEPTH):
            return index
    return None


def _is_taken_away(before: Sequence[SustainedWindow], during: Sequence[SustainedWindow]) -> bool:
    """Whether most of the loss is processor time that the process did not get."""
    cores = [_mean([each.cpu_cores for each in part]) for part in (before, during)]
    if not cores[0] or not cores[1]:
        return False
    lost = -math.log(_rate(during) / _rate(before))
    return -math.log(cores[1] / cores[0]) > lost / 2


def _cause(before: Sequence[SustainedWindow], during: Sequence[SustainedWindow]) -> str:
    cores = [_mean([each.cpu_cores for each in part]) for part in (before, during)]
    clocks = [_mean([each.frequency_mhz for each in part]) for part in (before, during)]
    heats = [_mean([each.temperature_c for each in part]) for part in (before, during)]
    said = []
    if cores[0] and cores[1]:
        if _is_taken_away(before, during):
            said.append(
                f"the process got {cores[1]:.2f} cores instead of {cores[0]:.2f}: other work or a "
                "limit took the time, not heat"
            )
        else:
            said.append(
                "the process got as much processor time as before, so each query was slower"
            )
    if clocks[0] and clocks[1]:
        fell = clocks[1] < clocks[0] * (1 - _CLOCK_FELL)
        course = f"fell from {clocks[0]:.0f} to" if fell else "stayed at"
        said.append(f"the clock {course} {clocks[1]:.0f} MHz")
    if heats[0] is not None and heats[1] is not None:
        said.append(f"the temperature went from {heats[0]:.0f} to {heats[1]:.0f} C")
    return "; ".join(said)


def _mean(figures: Sequence[float | None]) -> float | None:
    known = [each for each in figures if each is not None]
    return sum(known) / len(known) if known else None


def _steady(windows: Sequence[SustainedWindow], first: int | None) -> SteadyState | None:
    if first is None:
        return None
    part = windows[first:]
    return SteadyState(
        from_s=part[0].start_s,
        throughput_per_s=_rate(part),
        p50_ms=float(np.median([each.p50_ms for each in part])),
    )


def _retention(windows: Sequence[SustainedWindow]) -> Estimate | Refusal:
    """Throughput of the last part over that of the first."""
    whole_s = windows[-1].start_s + windows[-1].duration_s if windows else 0.0
    part_s = min(_PART_S, _PART_SHARE * whole_s)
    first = [each for each in windows if each.start_s + each.duration_s <= part_s]
    last = [each for each in windows if each.start_s >= whole_s - part_s]
    count = min(len(first), len(last))
    if count < _PIECES:
        needed = 4 * (_PIECES + 1)
        return Refusal(
            reason=f"retention needs {needed} windows, found {len(windows)}", needed=needed
        )
    ratio = paired_ratio(_pieces(last), _pieces(first), confidence=_CONFIDENCE)
    return ratio if isinstance(ratio, Refusal) else ratio.ratio


def _pieces(windows: Sequence[SustainedWindow]) -> NDArray[np.float64]:
    """Throughput of six pieces of about equal length."""
    edges = np.linspace(0, len(windows), _PIECES + 1).astype(int)
    return np.array([_rate(windows[a:b]) for a, b in itertools.pairwise(edges)])


class ThrottleWatch:
    """Watches windows as they come; after an alarm it learns the new level and watches on.

    Attributes:
        alarms_s: When it gave alarm, in order.
    """

    def __init__(self) -> None:
        self.alarms_s: list[float] = []
        self._logs: list[float] = []
        self._sum = 0.0
        self._before = math.inf

    def see(self, window: SustainedWindow) -> float | None:
        """One more window; tells since when the throughput is down, as far as can be told."""
        log = math.log(window.throughput_per_s)
        if len(self._logs) >= _WATCH_LEARNS:
            self._add_up(log, window.start_s + window.duration_s)
        if self._sum == 0.0:
            self._logs.append(log)
        if log > self._before + math.log1p(-LEAST_DEPTH):
            self._before = math.inf
        return self.alarms_s[-1] if self.alarms_s and math.isfinite(self._before) else None

    def _add_up(self, log: float, now_s: float) -> None:
        level = float(np.median(self._logs))
        noise = _MAD_TO_SIGMA * float(np.median(np.abs(np.array(self._logs) - level)))
        alarm = max(_WATCH_ALARM, _WATCH_DEVIATIONS * noise)
        below = level - log - max(_WATCH_ALLOWANCE, noise / 2)
        # A window that stood still must not give the alarm by itself.
        self._sum = max(self._sum + min(below, alarm * _LARGEST_SHARE), 0.0)
        if self._sum > alarm:
            self.alarms_s.append(now_s)
            self._before, self._logs, self._sum = level, [], 0.0
