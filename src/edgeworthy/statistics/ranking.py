"""Intervals for the area under the ROC curve: one area, and the difference of two paired areas.

Rules:

1. Ties count half, as in the Mann-Whitney statistic.
2. An area of exactly 1 still has an interval: perfect separation of few samples proves little.
3. The ends of a difference say different things. The high end is what could be lost at most, and
   holds a rare kind that is lost and was not drawn. The low end is what is lost at least: a kind
   that is *gained* and was not drawn would only make a loss smaller, and is not allowed for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import normal_quantile, student_t_quantile
from edgeworthy.statistics.inversion import last_included
from edgeworthy.statistics.replicates import (
    adjusted_level,
    clipped,
    unseen_share,
    with_undrawn_loss,
)

# Scores that rank little better than chance can still lose as much as these.
_LEAST_AREA = 0.75
# Samples that the assumed variance of an area counts as many as.
_ASSUMED = 20


def placements(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the other class that each sample is ranked right against.

    Args:
        scores: ``(n,)``: higher is more positive.
        positive: ``(n,)``.

    Returns:
        ``(positives,)`` and ``(negatives,)``; the mean of either is the area under the ROC curve.

    >>> up, down = placements(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> up.tolist(), down.tolist()
    ([0.5, 1.0], [1.0, 0.5])
    """
    chosen, rest = scores[positive], scores[~positive]
    return _share_below(chosen, np.sort(rest)), 1.0 - _share_below(rest, np.sort(chosen))


def _share_below(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.searchsorted(others, values, side="left")
    upto = np.searchsorted(others, values, side="right")
    return np.asarray((below + upto) / (2.0 * len(others)))


def roc_area(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], *, confidence: float
) -> Estimate:
    """Area under the ROC curve with Newcombe's score interval (his method 5), its variance mended.

    Hanley and McNeil's variance is that of exponential scores. It is twice too large for areas near
    1, and too small where one kind is spread wider or has a rare kind of its own: such intervals
    cover 99 % and 90 %. The samples' own (DeLong's) is too small for few. The two are mixed: of m
    samples of the rarer kind, DeLong's counts m / (m + 20).

    Args:
        scores: ``(n,)``: higher is more positive.
        positive: ``(n,)``, with samples of both kinds.
        confidence: Coverage to aim at, in (0, 1).

    Source: Newcombe, Stat. Med. 25 (2006) 559-573; Hanley and McNeil, Radiology 143 (1982) 29-36;
    DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845.
    """
    up, down = placements(scores, positive)
    value = float(np.mean(up))
    z = normal_quantile((1 + confidence) / 2) * math.sqrt(_variance_ratio(up, down))

    def excluded(area: float) -> bool:
        return abs(value - area) > z * _hanley_mcneil_error(area, len(up), len(down))

    return Estimate(
        value=value,
        low=last_included(0.0, value, excluded),
        high=last_included(1.0, value, excluded),
        confidence=confidence,
        n=len(scores),
        method="newcombe-auroc",
        unit="ratio",
    )


def _variance_ratio(up: NDArray[np.float64], down: NDArray[np.float64]) -> float:
    """What the samples say of the variance, relative to Hanley and McNeil's; 1 if nothing."""
    error, _ = _welch(up, down)
    if error == 0.0:
        return 1.0
    ratio = error / _hanley_mcneil_error(float(np.mean(up)), len(up), len(down))
    rarer = min(len(up), len(down))
    return (rarer * ratio**2 + _ASSUMED) / (rarer + _ASSUMED)


def _hanley_mcneil_error(area: float, positives: int, negatives: int) -> float:
    pairs = (positives + negatives) / 2 - 1
    inflation = 1 + pairs * ((1 - area) / (2 - area) + area / (1 + area))
    return math.sqrt(area * (1 - area) * inflation / (positives * negatives))


def paired_area_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    confidence: float,
) -> Estimate:
    """Area of the first minus area of the second, on the same samples.

    DeLong's standard error with Student's t, as many degrees of freedom as Satterthwaite's rule
    leaves. The high end is that of a score interval in which a share of the rarer kind may be
    missing that one of the two ranks by chance: without that, the interval of a model that fails on
    a rare kind covers 71 % on average. The low end is at least as far as a missing kind would go
    that changes half as much as the sample that changed most. Both are made for 1.4 times the
    nominal ratio of misses, which what is allowed for takes off again.

    Args:
        first: ``(n,)`` scores of one model.
        second: ``(n,)`` scores of the other.
        positive: ``(n,)``, with samples of both kinds.
        confidence: Coverage to aim at, in (0, 1).

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845; Satterthwaite, Biom.
    Bull. 2 (1946) 110-114; Hanley and Lippman-Hand, JAMA 249 (1983) 1743-1745, for what is missing.
    """
    one, two = placements(first, positive), placements(second, positive)
    areas = float(np.mean(one[0])), float(np.mean(two[0]))
    changes = one[0] - two[0], one[1] - two[1]
    error, degrees = _welch(*changes)
    level = adjusted_level(confidence)
    arm = student_t_quantile((1 + level) / 2, degrees) * error
    unseen = unseen_share(min(len(each) for each in changes), confidence=level)
    changed = max(float(np.abs(each).max()) for each in changes)
    least = unseen * max(changed / 2, 1 / max(len(each) for each in changes))
    value = areas[0] - areas[1]
    found = Estimate(
        value=value,
        low=value - max(arm, least),
        high=value + arm,
        confidence=confidence,
        n=len(first),
        method="delong",
        unit="ratio",
    )
    by_chance = max(*areas, _LEAST_AREA) - 0.5
    wide = with_undrawn_loss(found, loss=unseen * by_chance)
    return clipped(wide, smallest=-1.0, largest=1.0)


def _welch(*parts: NDArray[np.float64]) -> tuple[float, float]:
    """Standard error of a sum of means, and its degrees of freedom; one value shows no variance."""
    variances = [float(each.var(ddof=1)) / len(each) if len(each) > 1 else 0.0 for each in parts]
    total = sum(variances)
    if total <= 0.0 or min(len(each) for each in parts) == 1:
        return math.sqrt(total), 1.0
    spread = sum(v**2 / (len(each) - 1) for v, each in zip(variances, parts, strict=True))
    return math.sqrt(total), max(total**2 / spread, 1.0)
