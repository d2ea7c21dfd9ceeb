"""From turns of two artefacts to a verdict.

Rules:

1. The ratio of a start is the median over its rounds of the ratio of both turns' medians; starts
   are the independent observations. Where the work of one of them depends on the input, it is the
   ratio of the means over the samples, of each sample's median: a median over all of them would
   tell nothing of the samples that take long.
2. The baseline against itself comes first. When the machine tells equal things apart, a verdict
   needs an interval that clears that of the self-check as well as 1.
3. A verdict needs the whole interval on one side. Otherwise the sentence says what this budget
   could have seen, and which budget would see more.
4. Drift and outliers are told, never removed: every start that was finished counts.
5. Pure: the same observations give the same judgment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.comparison import (
    BudgetNeed,
    ComparisonVerdict,
    Drift,
    SelfCheck,
)
from edgeworthy.documents.estimate import Estimate
from edgeworthy.measurement.interleaving import Observation
from edgeworthy.measurement.observations import LaunchObservation
from edgeworthy.statistics.order_statistics import Refusal
from edgeworthy.statistics.paired_ratio import paired_ratio, pairs_to_see, visible_difference
from edgeworthy.statistics.trend import trend

#: Differences that people ask about when a budget saw none.
_ASKED_DIFFERENCES = (0.05, 0.02, 0.01, 0.005, 0.002)
_MOST_NEEDS = 2
#: A turn is disturbed when its median is this much above that of its start's turns.
_DISTURBED_RATIO = 1.25
#: Robust standard deviations from which a start stands apart.
_OUTLYING_DEVIATIONS = 5.0
_MAD_TO_DEVIATION = 1.4826
_SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True)
class Judgment:
    """What a comparison says; the fields are those of the document."""

    ratio: Estimate | None
    verdict: ComparisonVerdict
    sentence: str
    self_check: SelfCheck
    visible_difference_ratio: float | None
    needs: tuple[BudgetNeed, ...]
    drift: Drift | None
    disturbed_turn_ratio: float
    outlying_starts: tuple[int, ...]


def log_ratios(ours: Observation, theirs: Observation) -> NDArray[np.float64]:
    """Log ratio of each start; see rule 1."""
    cycle = max(ours.cycle, theirs.cycle)
    return np.array(
        [
            _log_of_means(own, other, cycle) if cycle else _log_of_medians(own, other)
            for own, other in zip(ours.launches, theirs.launches, strict=True)
        ]
    )


def _log_of_medians(ours: LaunchObservation, theirs: LaunchObservation) -> float:
    return float(np.median(_log_medians(ours) - _log_medians(theirs)))


def _log_of_means(ours: LaunchObservation, theirs: LaunchObservation, cycle: int) -> float:
    own, other = (_mean_of_samples(launch, cycle) for launch in (ours, theirs))
    return math.log(own / other)


def _mean_of_samples(launch: LaunchObservation, cycle: int) -> float:
    """Mean over the samples of the median of each, over all turns of a start."""
    latencies = np.concatenate(launch.turns)
    seen = min(cycle, len(latencies))
    return float(np.mean([np.median(latencies[first::cycle]) for first in range(seen)]))


def judge(
    subject: Observation,
    baseline: Observation,
    again: Observation,
    *,
    confidence: float,
    duration_s: float,
) -> Judgment:
    """Hold a subject against a baseline.

    Args:
        subject: The one in question.
        baseline: What it is held against.
        again: The baseline once more, from processes of its own in the same rounds.
        confidence: Coverage of the intervals, in (0, 1).
        duration_s: Time that all of it took, from which other budgets are planned.
    """
    logs = log_ratios(subject, baseline)
    ratio = _estimate(logs, confidence)
    own = _estimate(log_ratios(again, baseline), confidence)
    self_check = SelfCheck(ratio=own, passed=own is None or own.low <= 1 <= own.high)
    launches = [*subject.launches, *baseline.launches]
    common = {
        "ratio": ratio,
        "self_check": self_check,
        "disturbed_turn_ratio": _disturbed_ratio(launches),
        "outlying_starts": _outlying(logs),
    }
    verdict = verdict_of(ratio, self_check)
    if ratio is None:
        sentence = f"Undecided: only {len(logs)} starts were finished, too few for a verdict."
        return Judgment(
            **common,  # type: ignore[arg-type]  # built just above
            verdict=verdict,
            sentence=sentence,
            visible_difference_ratio=None,
            needs=(),
            drift=None,
        )
    spread = max(float(np.std(logs, ddof=1)), _SMALLEST_SPREAD)
    visible = visible_difference(spread, len(logs), confidence=confidence)
    needs = _needs(spread, visible, duration_s / len(logs), confidence)
    return Judgment(
        **common,  # type: ignore[arg-type]  # built just above
        verdict=verdict,
        sentence=sentence_of(verdict, ratio, visible, needs),
        visible_difference_ratio=visible,
        needs=needs,
        drift=_drift(baseline, logs),
    )


def verdict_of(ratio: Estimate | None, self_check: SelfCheck) -> ComparisonVerdict:
    """The verdict; see rules 2 and 3."""
    if ratio is None:
        return "undecided"
    low = high = 1.0
    if not self_check.passed and self_check.ratio is not None:
        low = min(self_check.ratio.low, 1 / self_check.ratio.high)
        high = 1 / low
    if ratio.high < low:
        return "faster"
    return "slower" if ratio.low > high else "no visible difference"


def sentence_of(
    verdict: ComparisonVerdict, ratio: Estimate, visible: float, needs: Sequence[BudgetNeed]
) -> str:
    """The verdict in plain English."""
    if verdict == "no visible difference":
        seen = f"No difference that this budget can see: it sees {percent(visible)} and more"
        reachable = [each for each in needs if each.start_count and each.duration_s]
        if not reachable:
            return f"{seen}."
        best = reachable[0]
        return (
            f"{seen}; {percent(best.difference_ratio)} would take {best.start_count} starts "
            f"and about {_duration(best.duration_s or 0.0)}."
        )
    ends = sorted(abs(math.log(end)) for end in (ratio.low, ratio.high))
    center = math.expm1(abs(math.log(ratio.value)))
    low, high = (math.expm1(end) for end in ends)
    return (
        f"{verdict.capitalize()} by {percent(center)} "
        f"({ratio.confidence * 100:g} % interval: {percent(low)} to {percent(high)})."
    )


def percent(share: float) -> str:
    """A share as per cent with two significant digits.

    >>> percent(0.0123), percent(0.5), percent(1.5), percent(0.00012)
    ('1.2 %', '50 %', '150 %', '0.012 %')
    """
    if share <= 0:
        return "0 %"
    digits = max(0, 1 - math.floor(math.log10(share * 100)))
    return f"{share * 100:.{digits}f} %"


def _duration(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours"


def _log_medians(launch: LaunchObservation) -> NDArray[np.float64]:
    return np.log([np.median(turn) for turn in launch.turns])


def _estimate(logs: NDArray[np.float64], confidence: float) -> Estimate | None:
    compared = paired_ratio(np.exp(logs), np.ones(len(logs)), confidence=confidence)
    return None if isinstance(compared, Refusal) else compared.ratio


def _needs(
    spread: float, visible: float, start_s: float, confidence: float
) -> tuple[BudgetNeed, ...]:
    """Budgets for the next smaller differences that people ask about."""
    smaller = [each for each in _ASKED_DIFFERENCES if each < visible][:_MOST_NEEDS]
    found = []
    for difference in smaller:
        count = pairs_to_see(spread, difference, confidence=confidence)
        found.append(
            BudgetNeed(
                difference_ratio=difference,
                start_count=count,
                duration_s=None if count is None else count * start_s,
            )
        )
    return tuple(found)


def _drift(baseline: Observation, logs: NDArray[np.float64]) -> Drift:
    own = trend(np.array([np.median(_log_medians(launch)) for launch in baseline.launches]))
    ratio = trend(logs)
    return Drift(
        baseline_change_ratio=math.expm1(own.change),
        baseline_p_value=own.p_value,
        ratio_change_ratio=math.expm1(ratio.change),
        ratio_p_value=ratio.p_value,
    )


def _disturbed_ratio(launches: Sequence[LaunchObservation]) -> float:
    limit = math.log(_DISTURBED_RATIO)
    above = []
    for launch in launches:
        medians = _log_medians(launch)
        above += [bool(each) for each in medians - np.median(medians) > limit]
    return float(np.mean(above))


def _outlying(logs: NDArray[np.float64]) -> tuple[int, ...]:
    distances = np.abs(logs - np.median(logs))
    spread = max(float(np.median(distances)) * _MAD_TO_DEVIATION, _SMALLEST_SPREAD)
    return tuple(
        int(each) + 1 for each in np.flatnonzero(distances > _OUTLYING_DEVIATIONS * spread)
    )
