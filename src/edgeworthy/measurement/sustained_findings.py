"""What the windows of a sustained run say: throttling, steady state, retention.

Rules:

1. Throttling is a change to a lower level: by 5 % or more, for at least three windows. It begins
   where the split into levels says, and ends when a level within 5 % of the one before comes back.
2. Depth is what was lost from onset to end, on average, so that a process that stands still part of
   the time is counted as it is.
3. Retention compares six pieces of the last part with six of the first, by signed ranks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.sustained import SteadyState, SustainedWindow, Throttling
from edgeworthy.measurement.sustained_cause import cause_of, is_taken_away
from edgeworthy.measurement.sustained_levels import (
    SHORTEST_LEVEL,
    find_levels,
    stationary_from,
)
from edgeworthy.measurement.sustained_parts import LEAST_DEPTH, first_fall
from edgeworthy.statistics.order_statistics import Refusal
from edgeworthy.statistics.paired_ratio import paired_ratio

_PIECES = 6
_PART_S = 30.0
_PART_SHARE = 0.25
_CONFIDENCE = 0.95


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
        throttling = _throttling(windows, alarms_s)
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


def _throttling(windows: Sequence[SustainedWindow], alarms_s: Sequence[float]) -> Throttling | None:
    fall = first_fall(windows)
    if fall is None:
        return None
    before, during = windows[fall.before : fall.first], windows[fall.first : fall.end]
    is_back = fall.end < len(windows)
    kind, depth_ratio = fall.kind, fall.depth_ratio
    if kind == "unknown":
        depth_ratio = 1 - _rate(during) / _rate(before)
    return Throttling(
        onset_s=windows[fall.first].start_s,
        end_s=windows[fall.end].start_s if is_back else None,
        noticed_s=_noticed_s(windows, fall.first, alarms_s),
        before_per_s=_rate(before),
        during_per_s=_rate(during),
        depth_ratio=depth_ratio,
        cause=cause_of(kind, before, during),
        taken_away=kind in ("limited", "others") or is_taken_away(before, during),
        kind=kind,
    )


def _noticed_s(
    windows: Sequence[SustainedWindow], first: int, alarms_s: Sequence[float]
) -> float | None:
    """The first alarm that belongs to a fall: the split may set its onset a little late."""
    earliest_s = windows[max(first - SHORTEST_LEVEL, 0)].start_s
    return next((each for each in alarms_s if each > earliest_s), None)


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
