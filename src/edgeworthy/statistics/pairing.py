"""The difference of two figures of the same samples, from their own intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate


def joined_difference(first: Estimate, second: Estimate, *, correlation: float) -> Estimate:
    """First minus second: arms added as squares, less what the two have in common.

    It keeps what is good in the parts: two figures at the end of their range, whose resamples
    show nothing, still differ by an interval and not by a point.

    Args:
        first: One figure.
        second: The other, with the same confidence and unit.
        correlation: Of the two as estimators, in [-1, 1].

    Source: Zou and Donner, Biometrics 64 (2008) 1-10 (method of variance estimates recovery).

    >>> from edgeworthy.statistics.shares import share_interval
    >>> one, two = (share_interval(hits, 10, confidence=0.95) for hits in (9, 8))
    >>> difference = joined_difference(one, two, correlation=0.0)
    >>> round(difference.low, 4), round(difference.high, 4)
    (-0.2324, 0.414)
    """
    value = first.value - second.value
    below = _joined(first.value - first.low, second.high - second.value, correlation)
    above = _joined(first.high - first.value, second.value - second.low, correlation)
    return Estimate(
        value=value,
        low=value - below,
        high=value + above,
        confidence=first.confidence,
        n=first.n,
        method=f"mover-{first.method}",
        unit=first.unit,
    )


def correlation_of(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Correlation of resampled figures; 0 where one of them does not vary.

    >>> correlation_of(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    1.0
    """
    if min(len(first), len(second)) < 2 or min(np.ptp(first), np.ptp(second)) == 0.0:  # noqa: PLR2004 - one draw has no spread
        return 0.0
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))


def _joined(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(first**2 + second**2 - 2 * correlation * first * second, 0.0))
