"""Resampled intervals the way every metric here needs them: inside the range, and never a point.

Up to 2,000 cells (samples that count alike share one) are resampled by the bootstrap; more, by
the block jackknife, whose cost does not grow with the number of resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife
from edgeworthy.statistics.replicates import Replicates, clipped, unseen_share, widened
from edgeworthy.statistics.resampling import Statistic, replicate
from edgeworthy.statistics.skewed import log_student_arm

MOST_BOOTSTRAP_CELLS = 2_000
# Wider than rounding, narrower than any real interval of a ratio.
_POINT = 1e-9
_LARGEST_ARM = 500.0


@dataclass(frozen=True)
class Floor:
    """Least arms of an interval, for what the samples cannot show.

    Attributes:
        below: Confidence -> least lower arm.
        above: Confidence -> least upper arm.
        name: Joined to the method when it was needed.
        only_for_points: Applies only where the resamples show no spread at all.
        scarce_n: Samples of the rarer kind where the figure compares two kinds; all if left out.
    """

    below: Callable[[float], float]
    above: Callable[[float], float]
    name: str
    only_for_points: bool = False
    scarce_n: int | None = None

    def applied(self, estimate: Estimate) -> Estimate:
        """The estimate with arms that are long enough."""
        if self.only_for_points and estimate.high - estimate.low > _POINT:
            return estimate
        return widened(
            estimate,
            below=self.below(estimate.confidence),
            above=self.above(estimate.confidence),
            floor=self.name,
        )


def resampled_estimates(
    statistic: Statistic,
    multiplicities: NDArray[np.int64],
    *,
    plan: IntervalPlan,
    purpose: str,
    floor: Floor,
    unit_and_range: tuple[str, float, float],
) -> tuple[Estimate, ...]:
    """One estimate per confidence from one set of resamples; none where the figure is undefined.

    Args:
        statistic: Weights ``(r, k)`` -> figure ``(r,)``, NaN where undefined.
        multiplicities: ``(k,)``: samples per cell.
        plan: Confidences, seed, resamples.
        purpose: What the resamples are for; part of the seed.
        floor: Least arms.
        unit_and_range: Unit, smallest and largest possible value.
    """
    unit, smallest, largest = unit_and_range
    seed = plan.seed_of(purpose)
    spread: Replicates | Jackknifed
    if len(multiplicities) > MOST_BOOTSTRAP_CELLS:
        spread = block_jackknife(statistic, multiplicities, seed=seed)
    else:
        (spread,) = replicate(
            statistic,
            multiplicities,
            seed=seed,
            resamples=plan.resamples,
            scarce_n=floor.scarce_n,
        )
    if not np.isfinite(spread.value):
        return ()
    return tuple(
        clipped(
            floor.applied(spread.interval(confidence=confidence, unit=unit)),
            smallest=smallest,
            largest=largest,
        )
        for confidence in plan.confidences
    )


def rule_of_three(n: int, *, effect: float = 1.0) -> Floor:
    """Arms for a kind of sample that ``n`` draws may well have missed.

    Args:
        n: Samples among which it could have been.
        effect: Change of the figure if all of those ``n`` were of that kind.
    """

    def arm(level: float) -> float:
        return effect * unseen_share(n, confidence=level)

    return Floor(arm, arm, "rule-of-three")


def log_student(losses: NDArray[np.float64]) -> Floor:
    """Arms of Student's interval on a logarithmic scale, for a mean of losses of at least 0.

    Args:
        losses: ``(n,)``, skewed to the right; at least two.
    """
    mean = float(losses.mean())

    def above(level: float) -> float:
        return mean * math.expm1(min(log_student_arm(losses, confidence=level), _LARGEST_ARM))

    def below(level: float) -> float:
        return -mean * math.expm1(-log_student_arm(losses, confidence=level))

    return Floor(below, above, "student-log")


class Grouping:
    """Sums of weights per group.

    >>> Grouping(np.array([1, 0, 1]), 3).sums(np.array([[1.0, 2.0, 4.0]]))
    array([[2., 5., 0.]])
    """

    def __init__(self, groups: NDArray[np.int64], count: int) -> None:
        """Sort once.

        Args:
            groups: ``(k,)``: group of each cell, below ``count``.
            count: Number of groups.
        """
        self._order = np.argsort(groups, kind="stable")
        self._present, self._starts = np.unique(groups[self._order], return_index=True)
        self._count = count

    def sums(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(r, k)`` -> ``(r, count)``."""
        totals = np.zeros((len(weights), self._count))
        totals[:, self._present] = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        return totals
