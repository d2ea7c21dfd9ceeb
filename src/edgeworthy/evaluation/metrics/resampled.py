"""Resampled intervals the way every metric here needs them: inside the range, and never a point.

Up to 2,000 cells (samples that count alike share one) are resampled by the bootstrap; more, by
the block jackknife, whose cost does not grow with the number of resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife
from edgeworthy.statistics.replicates import Replicates, clipped, widened
from edgeworthy.statistics.resampling import Statistic, replicate

_MOST_BOOTSTRAP_CELLS = 2_000


@dataclass(frozen=True)
class Floor:
    """Least arms of an interval, for what the samples cannot show.

    Attributes:
        below: Confidence -> least lower arm.
        above: Confidence -> least upper arm.
        name: Joined to the method when it was needed.
    """

    below: Callable[[float], float]
    above: Callable[[float], float]
    name: str


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
    if len(multiplicities) > _MOST_BOOTSTRAP_CELLS:
        spread = block_jackknife(statistic, multiplicities, seed=seed)
    else:
        (spread,) = replicate(statistic, multiplicities, seed=seed, resamples=plan.resamples)
    if not np.isfinite(spread.value):
        return ()
    return tuple(
        clipped(
            widened(
                spread.interval(confidence=confidence, unit=unit),
                below=floor.below(confidence),
                above=floor.above(confidence),
                floor=floor.name,
            ),
            smallest=smallest,
            largest=largest,
        )
        for confidence in plan.confidences
    )


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
