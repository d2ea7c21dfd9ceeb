"""The largest difference of a share between two groups, and the extreme of several figures.

Rules:

1. The end of an interval that speaks for the extreme needs no correction for the number of
   groups: the true extreme is one of them, and its own limit holds (intersection-union). The other
   end is corrected (Bonferroni), since the extreme was picked after looking.
2. So the interval covers at least as often as that of a single pair, which has a floor of 93 % at a
   confidence of 0.95 (:mod:`edgeworthy.statistics.gaps`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.gaps import gap_limits

_PAIR = 2


def lowest_of(
    count: int, figure: Callable[[int, float], Estimate], *, confidence: float
) -> Estimate:
    """The lowest of several figures, each of samples of its own.

    Args:
        count: How many there are, at least 1.
        figure: Position and confidence -> figure.
        confidence: Coverage to reach, in (0, 1).

    Source: Berger, Technometrics 24 (1982) 295-300 (intersection-union), for the lower end.
    """
    alone = [figure(at, confidence) for at in range(count)]
    together = [figure(at, 1.0 - (1.0 - confidence) / count) for at in range(count)]
    lowest = min(alone, key=lambda each: each.value)
    return Estimate(
        value=lowest.value,
        low=min(each.low for each in alone),
        high=min(each.high for each in together),
        confidence=confidence,
        n=lowest.n,
        method=f"lowest-of-{count} {lowest.method}",
        unit=lowest.unit,
    )


def highest_of(
    count: int, figure: Callable[[int, float], Estimate], *, confidence: float
) -> Estimate:
    """The highest of several figures; see :func:`lowest_of`."""
    alone = [figure(at, confidence) for at in range(count)]
    together = [figure(at, 1.0 - (1.0 - confidence) / count) for at in range(count)]
    highest = max(alone, key=lambda each: each.value)
    return Estimate(
        value=highest.value,
        low=max(each.low for each in together),
        high=max(each.high for each in alone),
        confidence=confidence,
        n=highest.n,
        method=f"highest-of-{count} {highest.method}",
        unit=highest.unit,
    )


def largest_gap(
    successes: Sequence[NDArray[np.int64]],
    totals: Sequence[NDArray[np.int64]],
    *,
    confidence: float,
) -> Estimate:
    """The largest difference of a share between two groups, over several kinds of share.

    Args:
        successes: Per kind, ``(groups,)`` samples that have the property.
        totals: Per kind, ``(groups,)`` samples, each at least 1; at least two groups in each.
        confidence: Coverage to reach, in (0, 1).

    Raises:
        ValueError: There is no kind, a single group, or an empty one.

    Source: :func:`edgeworthy.statistics.gaps.gap_limits` for a pair of groups; Berger,
    Technometrics 24 (1982) 295-300, for the upper end.

    >>> gap = largest_gap([np.array([90, 70])], [np.array([100, 100])], confidence=0.95)
    >>> round(gap.value, 3), round(gap.low, 3), round(gap.high, 3)
    (0.2, 0.09, 0.306)
    """
    if not totals or any(len(each) < _PAIR or each.min() < 1 for each in totals):
        raise ValueError("a gap needs two groups with samples for each kind of share")
    pairs = sum(len(each) * (len(each) - 1) // 2 for each in totals)
    corrected = 1.0 - (1.0 - confidence) / pairs
    value, low, high, n = -1.0, 0.0, 0.0, 0
    for hits, counts in zip(successes, totals, strict=True):
        shares = hits / counts
        top, bottom = int(np.argmax(shares)), int(np.argmin(shares))
        gap = float(shares[top] - shares[bottom])
        if gap > value:
            value, n = gap, int(min(counts[top], counts[bottom]))
        low = max(low, float(gap_limits(hits, counts, confidence=corrected)[0].max()))
        high = max(high, float(gap_limits(hits, counts, confidence=confidence)[1].max()))
    return Estimate(
        value=value,
        low=min(max(low, 0.0), value),
        high=max(min(high, 1.0), value),
        confidence=confidence,
        n=n,
        method=f"mover-gap over {pairs}",
        unit="ratio",
    )
