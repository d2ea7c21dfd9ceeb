"""Intervals for the area under the ROC curve: one area, and the difference of two paired areas.

Rules:

1. Ties count half, as in the Mann-Whitney statistic.
2. An area of exactly 1 still has an interval: perfect separation of few samples proves little.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import normal_quantile
from edgeworthy.statistics.inversion import last_included
from edgeworthy.statistics.pairing import joined_difference
from edgeworthy.statistics.replicates import clipped


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
    """Area under the ROC curve with Newcombe's score interval (his method 5).

    Args:
        scores: ``(n,)``: higher is more positive.
        positive: ``(n,)``, with samples of both kinds.
        confidence: Coverage to aim at, in (0, 1).

    Source: Newcombe, Stat. Med. 25 (2006) 559-573; Hanley and McNeil, Radiology 143 (1982) 29-36.
    """
    up, down = placements(scores, positive)
    value = float(np.mean(up))
    z = normal_quantile((1 + confidence) / 2)

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

    The arms of the two areas' own score intervals, joined by the correlation of the areas; unlike
    DeLong's interval it stays honest where both are close to 1 (500 samples, areas of 0.996 and
    0.994: DeLong's covers 86 % at a nominal 95 %).

    Args:
        first: ``(n,)`` scores of one model.
        second: ``(n,)`` scores of the other.
        positive: ``(n,)``, with samples of both kinds.
        confidence: Coverage to aim at, in (0, 1).

    Source: :func:`joined_difference`; DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988)
    837-845, for the correlation.
    """
    one = roc_area(first, positive, confidence=confidence)
    two = roc_area(second, positive, confidence=confidence)
    correlation = _correlation(placements(first, positive), placements(second, positive))
    difference = joined_difference(one, two, correlation=correlation)
    return clipped(difference, smallest=-1.0, largest=1.0)


_Placements: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def _correlation(first: _Placements, second: _Placements) -> float:
    """Correlation of two areas on the same samples; 0 where one of them does not vary."""
    covariance = variance_first = variance_second = 0.0
    for one, two in zip(first, second, strict=True):
        if len(one) > 1:
            (var_one, both), (_, var_two) = np.cov(one, two)
            covariance += both / len(one)
            variance_first += var_one / len(one)
            variance_second += var_two / len(one)
    if variance_first <= 0.0 or variance_second <= 0.0:
        return 0.0
    return float(np.clip(covariance / math.sqrt(variance_first * variance_second), -1.0, 1.0))
