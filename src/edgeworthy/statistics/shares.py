"""The interval of one share: Blaker's exact one, its level adjusted so that the mean coverage fits.

Rules:

1. Counts are whole numbers, so that no interval of a share can cover 93 to 97 % at every truth: of
   five samples with a truth of 0.1 a set of counts is hit in at most 92.7 % or in at least 99.1 %.
   What can be had is a floor and a mean, and this interval has both.
2. The floor: nowhere is coverage below the adjusted level, which for a confidence of 0.95 is 0.9301
   up to twenty samples and rises from there to 0.95.
3. The mean: over all truths coverage is the confidence itself within 0.2 points from twenty samples
   on; fewer samples cover more often, because they can only say few things.
4. An interval always holds its own value, lies in [0, 1] and is never a point.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import beta_probability, beta_quantile

_STEPS = 200
_PRECISION = 1e-14
# Twice the discreteness of counts, which fades with the square root of their number.
_ADJUSTMENT = 1.9
_LARGEST_ADJUSTMENT = 0.42


def share_interval(successes: int, n: int, *, confidence: float, unit: str = "ratio") -> Estimate:
    """Interval of a share: holds the truth about as often as it says, and has a floor.

    Args:
        successes: Samples that have the property.
        n: Samples in all, at least 1.
        confidence: Mean coverage to aim at, in (0, 1).
        unit: Unit of the share.

    Raises:
        ValueError: The counts or the confidence are impossible.

    Source: Blaker, Can. J. Stat. 28 (2000) 783-798; Klaschka, COMPSTAT (2010), for where its ends
    lie; Reiczigel, Stat. Med. 22 (2003) 611-621, for the adjustment of a level to the mean.

    >>> estimate = share_interval(9, 10, confidence=0.95)
    >>> round(estimate.low, 4), round(estimate.high, 4)
    (0.6062, 0.9928)
    """
    check_counts(successes, n, confidence)
    alpha = adjusted_miss(n, confidence)
    value = successes / n
    # Mirrored, so that a small upper limit keeps all its digits.
    return Estimate(
        value=value,
        low=min(blaker_lower(successes, n, alpha), value),
        high=max(1.0 - blaker_lower(n - successes, n, alpha), value),
        confidence=confidence,
        n=n,
        method="blaker-adjusted",
        unit=unit,
    )


def adjusted_miss(n: int, confidence: float) -> float:
    """How often the interval of ``n`` samples may miss at the worst truth.

    >>> round(adjusted_miss(10, 0.95), 4), round(adjusted_miss(1000, 0.95), 4)
    (0.07, 0.0529)
    """
    adjustment = min(_LARGEST_ADJUSTMENT, _ADJUSTMENT / math.sqrt(n))
    return (1.0 - confidence) * (1.0 + adjustment * confidence)


@functools.lru_cache(maxsize=4096)
def blaker_lower(successes: int, n: int, alpha: float) -> float:
    """Lower end of Blaker's exact interval.

    A truth is accepted if the counts that are at least as far out in their own tail have together
    a chance of at least ``alpha``. From Clopper and Pearson's end upwards that chance rises where
    one more count joins from the other tail, to above ``alpha`` the first time; the end lies there,
    or before, where the chance passes ``alpha`` by itself.

    Args:
        successes: Samples that have the property.
        n: Samples in all.
        alpha: One minus the confidence, in (0, 1).
    """
    if successes == 0:
        return 0.0
    lowest = beta_quantile(alpha / 2, successes, n - successes + 1)
    # Counts of the other tail that are as far out at Clopper and Pearson's end.
    inside, outside = successes, -1
    while inside - outside > 1:
        middle = (inside + outside) // 2
        if _below(middle, n, lowest) <= alpha / 2:
            outside = middle
        else:
            inside = middle

    def joined(truth: float) -> float:
        return _above(successes, n, truth) - _below(outside + 1, n, truth)

    def accepted(truth: float) -> float:
        return _above(successes, n, truth) + _below(outside, n, truth) - alpha

    end = _crossing(lowest, successes / n, joined)
    return _crossing(lowest, end, accepted) if accepted(end) >= 0.0 else end


def _crossing(low: float, high: float, excess: Callable[[float], float]) -> float:
    """Where an excess that is at least 0 at ``high`` and not at ``low`` becomes 0.

    Source: Dowell and Jarratt, BIT 11 (1971) 168-174 (regula falsi, Illinois variant).
    """
    below, above = excess(low), excess(high)
    if below >= 0.0:
        return low
    kept = 0
    for _ in range(_STEPS):
        middle = (low * above - high * below) / (above - below)
        if not low < middle < high:
            middle = (low + high) / 2
        found = excess(middle)
        if found < 0.0:
            low, below = middle, found
            above, kept = (above / 2, -1) if kept < 0 else (above, -1)
        else:
            high, above = middle, found
            below, kept = (below / 2, 1) if kept > 0 else (below, 1)
        if high - low <= _PRECISION * high or found == 0.0:
            break
    return high


def _above(count: int, n: int, truth: float) -> float:
    """Chance of at least so many, for ``count`` of at least 1."""
    return beta_probability(truth, count, n - count + 1)


def _below(count: int, n: int, truth: float) -> float:
    """Chance of at most so many."""
    if count < 0:
        return 0.0
    return 1.0 if count >= n else beta_probability(1.0 - truth, n - count, count + 1)


def check_counts(successes: int, n: int, confidence: float) -> None:
    """Refuse what no share can have.

    Raises:
        ValueError: The counts or the confidence are impossible.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"counts must fulfil 0 <= successes <= n and n >= 1: {successes}, {n}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
