"""From resampled figures to an interval.

Rules:

1. Small sets get wider intervals: the levels are those of Student's t, scaled; under five samples
   the arms are at least those of Student's interval.
2. Where the resamples all fall on one side of the figure or are all alike, the percentiles stand.
   Data without any variation give a point; whoever knows what an unseen sample could do widens
   it with :func:`widened` and :func:`unseen_share`.
3. An interval always holds its own value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import (
    normal_probability,
    normal_quantile,
    student_t_quantile,
)

_FEW_SAMPLES = 5
_SMALLEST_TAIL = 1e-300
_ADJUSTMENT = 1.4


@dataclass(frozen=True)
class Replicates:
    """A figure and its resampled twins.

    Attributes:
        value: The figure on the data themselves.
        draws: ``(r,)``; resamples on which a figure is undefined are left out.
        acceleration: Skewness of the influence of single samples, for BCa.
        n: Independent samples.
        scarce_n: Samples that set how far the interval is widened: ``n``, or those of the rarer
            kind where the figure compares two.
    """

    value: float
    draws: NDArray[np.float64]
    acceleration: float
    n: int
    scarce_n: int

    def interval(self, *, confidence: float, unit: str) -> Estimate:
        """Bias-corrected and accelerated interval, or percentiles where that is impossible.

        Args:
            confidence: Coverage to aim at, in (0, 1).
            unit: Unit of the figure.

        Source: Efron, JASA 82 (1987) 171-185; Hesterberg, Am. Stat. 69 (2015) 371-386, for the
        levels at small n.
        """
        tail = _tail(confidence, self.scarce_n)
        levels = self._bca_levels(tail)
        method = "bootstrap-bca" if levels else "bootstrap-percentile"
        low, high = self.value, self.value
        if self.draws.size:
            low, high = (float(q) for q in np.quantile(self.draws, levels or (tail, 1 - tail)))
        estimate = Estimate(
            value=self.value,
            low=min(low, self.value),
            high=max(high, self.value),
            confidence=confidence,
            n=self.n,
            method=method,
            unit=unit,
        )
        arm = self._student_arm(confidence)
        return widened(estimate, below=arm, above=arm, floor="student-t")

    def centered_interval(self, *, confidence: float, unit: str) -> Estimate:
        """Percentiles of the resamples moved so that their mean is the value.

        For a figure whose bias is dealt with elsewhere: only the spread is taken.

        Args:
            confidence: Coverage to aim at, in (0, 1).
            unit: Unit of the figure.
        """
        tail = _tail(confidence, self.scarce_n)
        low, high = np.quantile(self.draws, (tail, 1 - tail)) - np.mean(self.draws)
        return Estimate(
            value=self.value,
            low=self.value + min(float(low), 0.0),
            high=self.value + max(float(high), 0.0),
            confidence=confidence,
            n=self.n,
            method="bootstrap-centered",
            unit=unit,
        )

    def _student_arm(self, confidence: float) -> float:
        """Half-width of Student's interval where resamples are too few to show the spread."""
        if not 2 <= self.scarce_n < _FEW_SAMPLES or not self.draws.size:  # noqa: PLR2004 - one has none
            return 0.0
        spread = float(np.std(self.draws)) * math.sqrt(self.scarce_n / (self.scarce_n - 1))
        return student_t_quantile((1 + confidence) / 2, self.scarce_n - 1) * spread

    def _bca_levels(self, tail: float) -> tuple[float, float] | None:
        if not self.draws.size:
            return None
        below = np.mean(self.draws < self.value) + np.mean(self.draws == self.value) / 2
        if not 0.0 < below < 1.0 or np.ptp(self.draws) == 0.0:
            return None
        bias = normal_quantile(float(below))
        levels = []
        for z in (normal_quantile(tail), -normal_quantile(tail)):
            shrink = 1.0 - self.acceleration * (bias + z)
            if shrink <= 0.0:
                return None
            levels.append(normal_probability(bias + (bias + z) / shrink))
        return levels[0], levels[1]


def unseen_share(n: int, *, confidence: float) -> float:
    """Largest share of a kind of sample of which ``n`` draws may well hold none.

    Source: the exact form of the rule of three (Hanley and Lippman-Hand, JAMA 249 (1983)).

    >>> round(unseen_share(100, confidence=0.95), 4)
    0.0362
    """
    return float(1.0 - ((1.0 - confidence) / 2) ** (1.0 / n))


def widened(estimate: Estimate, *, below: float, above: float, floor: str) -> Estimate:
    """The estimate with arms at least this long.

    Args:
        estimate: What was found.
        below: Least length of the lower arm, in the estimate's unit.
        above: Least length of the upper arm.
        floor: Where the lengths come from; joined to the method when they were needed.
    """
    low = min(estimate.low, estimate.value - below)
    high = max(estimate.high, estimate.value + above)
    if (low, high) == (estimate.low, estimate.high):
        return estimate
    return Estimate(
        value=estimate.value,
        low=low,
        high=high,
        confidence=estimate.confidence,
        n=estimate.n,
        method=f"{estimate.method}+{floor}",
        unit=estimate.unit,
    )


def adjusted_level(confidence: float) -> float:
    """Level of arms to which an allowance for an undrawn kind is added (1.4 times the misses).

    Chosen by simulation, so that together they miss as often as they should; at least half of the
    level, so that low ones stay levels.

    >>> round(adjusted_level(0.95), 6), adjusted_level(0.25)
    (0.93, 0.125)
    """
    return max(1.0 - _ADJUSTMENT * (1.0 - confidence), confidence / 2.0)


def with_undrawn_loss(estimate: Estimate, *, loss: float) -> Estimate:
    """The drop with a high end that holds a rare kind which is lost and was not drawn.

    As the score interval of a share does it: of ``k`` losses seen, the high end lies at
    ``k + z² / 2 + z √(k + z² / 4)``. Its own arm is what was seen; the allowance is ``z²``.

    Args:
        estimate: The drop, positive where something is lost.
        loss: What an undrawn kind may cost, in the estimate's unit.

    >>> drop = Estimate(value=0.0, low=-0.03, high=0.03, confidence=0.95, n=9, method="x",
    ...     unit="ratio")
    >>> found = with_undrawn_loss(drop, loss=0.08)
    >>> found.low, round(found.high, 6), found.method
    (-0.03, 0.09, 'x+unseen-kind')
    """
    half = loss / 2.0
    return Estimate(
        value=estimate.value,
        low=estimate.low,
        high=estimate.value + half + math.hypot(estimate.high - estimate.value, half),
        confidence=estimate.confidence,
        n=estimate.n,
        method=f"{estimate.method}+unseen-kind",
        unit=estimate.unit,
    )


def clipped(estimate: Estimate, *, smallest: float, largest: float) -> Estimate:
    """The estimate with its ends inside the possible range.

    Args:
        estimate: What was found; its value lies in the range.
        smallest: Smallest possible value.
        largest: Largest possible value.
    """
    return Estimate(
        value=estimate.value,
        low=min(max(estimate.low, smallest), estimate.value),
        high=max(min(estimate.high, largest), estimate.value),
        confidence=estimate.confidence,
        n=estimate.n,
        method=estimate.method,
        unit=estimate.unit,
    )


def _tail(confidence: float, n: int) -> float:
    """Level of each tail, smaller than nominal when there are few samples."""
    tail = (1.0 - confidence) / 2
    if n < 2:  # noqa: PLR2004 - no degree of freedom
        return tail
    quantile = student_t_quantile(tail, n - 1) * math.sqrt(n / (n - 1))
    return max(normal_probability(quantile), _SMALLEST_TAIL)
