"""Percentiles of a sample, with intervals that hold for any distribution.

Rules:

1. The interval of a percentile runs between two of the observed values. Their ranks come from the
   exact binomial distribution of "how many of n observations lie below the true percentile", so
   no shape is assumed. Source: W. J. Conover, *Practical Nonparametric Statistics*, 3rd ed.,
   section 3.2.
2. Each end must have support of its own: a chance of at most ``(1 - confidence) / 2`` of being on
   the wrong side. A sample that is too small for that is refused with the size that would do.
3. Coverage is at least ``confidence``: ranks are whole numbers, so it is usually a little more.
   Whatever is left over goes to the lower end first, because latencies are bounded from above.
4. Observations that come in groups of alike ones (queries of one start of a program) say less than
   as many independent ones. Then the percentile of each group is one observation, and the interval
   is that of the median of those. Each group must be large enough to have an even chance of a
   member beyond the percentile, or its own percentile would lie on one side of the true one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Record

#: Half width of the window in which binomial probabilities are summed: what lies outside has a
#: probability below 1e-20.
_WINDOW_DEVIATIONS = 12.0
_WINDOW_EXTRA = 60
_MEDIAN = 50.0


class Refusal(Record, frozen=True, kw_only=True):
    """Why no interval can be given.

    Attributes:
        reason: One sentence without a full stop.
        needed: How many observations would do.
    """

    reason: str
    needed: int


def percentile_interval(
    sorted_values: NDArray[Any], percent: float, *, confidence: float, unit: str
) -> Estimate | Refusal:
    """A percentile between two order statistics of independent observations.

    Args:
        sorted_values: ``(n,)``, ascending.
        percent: For example 99; above 0 and below 100.
        confidence: Coverage to reach, in (0, 1).
        unit: Unit of the values.

    Returns:
        The nearest-rank percentile with its interval, or why these values do not support one.

    >>> percentile_interval(np.arange(1.0, 101.0), 50, confidence=0.95, unit="ms").high
    61.0
    >>> percentile_interval(np.arange(20.0), 99, confidence=0.95, unit="ms").needed
    368
    """
    share = _share(percent)
    count = len(sorted_values)
    needed = queries_needed(percent, confidence)
    if count < needed:
        return _refusal(percent, confidence, needed=f"{needed} queries", count=count, total=needed)
    low, high = _ranks(count, share, (1 - confidence) / 2)
    value_rank = min(max(math.ceil(share * count), low), high)
    return Estimate(
        value=float(sorted_values[value_rank - 1]),
        low=float(sorted_values[low - 1]),
        high=float(sorted_values[high - 1]),
        confidence=confidence,
        n=count,
        method="order-statistic",
        unit=unit,
    )


def grouped_percentile_interval(
    groups: Sequence[NDArray[Any]], percent: float, *, confidence: float, unit: str
) -> Estimate | Refusal:
    """A percentile of observations that resemble those of their own group.

    Args:
        groups: Observations per group, in any order; groups are independent of each other.
        percent: For example 99; above 0 and below 100.
        confidence: Coverage to reach, in (0, 1).
        unit: Unit of the values.

    Returns:
        The nearest-rank percentile of all observations, with the interval of the median of the
        groups' percentiles; ``n`` is the number of groups. Or why there is none.

    >>> groups = [np.arange(100.0) + start for start in range(6)]
    >>> found = grouped_percentile_interval(groups, 50, confidence=0.95, unit="ms")
    >>> round(found.low, 1), found.value, round(found.high, 1), found.n
    (49.5, 52.0, 54.5, 6)
    """
    share = _share(percent)
    groups = [group for group in groups if len(group)]
    total = sum(len(group) for group in groups)
    each = math.ceil(math.log(0.5) / math.log(max(share, 1 - share)))
    needed = max(queries_needed(percent, confidence), each * len(groups))
    if total < needed:
        return _refusal(percent, confidence, needed=f"{needed} queries", count=total, total=needed)
    own = np.sort([np.quantile(group, share, method="median_unbiased") for group in groups])
    middle = percentile_interval(own, _MEDIAN, confidence=confidence, unit=unit)
    if isinstance(middle, Refusal):
        least = middle.needed
        return _refusal(
            percent, confidence, needed=f"{least} starts", count=len(groups), total=least
        )
    value = float(np.quantile(np.concatenate(list(groups)), share, method="inverted_cdf"))
    return Estimate(
        value=value,
        low=min(middle.low, value),
        high=max(middle.high, value),
        confidence=confidence,
        n=len(groups),
        method="order-statistic over starts",
        unit=unit,
    )


def queries_needed(percent: float, confidence: float) -> int:
    """The smallest number of independent observations that supports both ends of the interval.

    >>> queries_needed(50, 0.95), queries_needed(90, 0.95), queries_needed(99, 0.95)
    (6, 36, 368)
    """
    share = _share(percent)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(share, 1 - share)))


def queries_needed_early_stopping(
    percent: float, *, confidence: float = 0.99, over_latency_count: int = 1
) -> int:
    """Queries that MLPerf asks for before it believes a percentile.

    The smallest n for which at most ``over_latency_count`` of n queries above the true percentile
    would be seen with a chance of at most ``1 - confidence``.
    Source: https://github.com/mlcommons/inference_policies, "Early stopping".

    >>> [queries_needed_early_stopping(percent) for percent in (90, 99, 99.9)]
    [64, 662, 6636]
    """
    share = _share(percent)
    low, high = over_latency_count, over_latency_count + 1
    while _Binomial(high, 1 - share).at_most(over_latency_count) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _Binomial(middle, 1 - share).at_most(over_latency_count) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def over_latency_allowed(count: int, percent: float, *, confidence: float = 0.99) -> int:
    """Queries of ``count`` that may be over a bound while the percentile surely keeps it.

    Returns:
        The number; -1 when ``count`` is too small even without any.

    >>> over_latency_allowed(662, 99), over_latency_allowed(661, 99), over_latency_allowed(458, 99)
    (1, 0, -1)
    """
    share = _share(percent)
    if count < 1:
        return -1
    below = _Binomial(count, 1 - share)
    inside = below.first + int(np.searchsorted(below.cumulative, 1 - confidence, side="right"))
    return inside - 1


def early_stopping_percentile(
    sorted_values: NDArray[Any], percent: float, *, confidence: float = 0.99
) -> float | Refusal:
    """MLPerf's estimate of a percentile: with this confidence, the true one is not above it.

    The worst values are left out, as many as may be over the percentile; the largest of those that
    may be is the estimate.

    Args:
        sorted_values: ``(n,)``, ascending.
        percent: For example 90.
        confidence: That the true percentile is not above.

    >>> early_stopping_percentile(np.arange(64.0), 90)
    63.0
    >>> early_stopping_percentile(np.arange(63.0), 90).needed
    64
    """
    count = len(sorted_values)
    needed = queries_needed_early_stopping(percent, confidence=confidence)
    if count < needed:
        return _refusal(percent, confidence, needed=f"{needed} queries", count=count, total=needed)
    over = over_latency_allowed(count, percent, confidence=confidence)
    return float(sorted_values[count - over])


def _share(percent: float) -> float:
    if not 0 < percent < 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"a percentile lies between 0 and 100, not {percent}")
    # 99.9 / 100 is 0.9990000000000001, enough to shift a rank of a large sample.
    return round(percent / 100, 12)


def _refusal(percent: float, confidence: float, *, needed: str, count: int, total: int) -> Refusal:
    return Refusal(
        reason=f"p{percent:g} at {confidence * 100:g} % confidence needs {needed}, found {count}",
        needed=total,
    )


class _Binomial:
    """P(successes <= k) of ``count`` trials, without cancellation for any ``count``.

    Ratios of neighboring probabilities are multiplied outward from the mode and scaled to sum
    to one over a window, outside of which there is less than 1e-20.
    """

    def __init__(self, count: int, share: float) -> None:
        mode = min(int((count + 1) * share), count)
        reach = int(_WINDOW_DEVIATIONS * math.sqrt(count * share * (1 - share))) + _WINDOW_EXTRA
        self.first = max(mode - reach, 0)
        successes = np.arange(self.first + 1, min(mode + reach, count) + 1, dtype=np.float64)
        ratios = np.log((count - successes + 1) / successes) + math.log(share / (1 - share))
        logarithms = np.concatenate(([0.0], np.cumsum(ratios)))
        weights = np.exp(logarithms - logarithms[mode - self.first])
        self.cumulative = np.cumsum(weights) / weights.sum()

    def at_most(self, successes: int) -> float:
        index = successes - self.first
        return float(self.cumulative[min(index, len(self.cumulative) - 1)]) if index >= 0 else 0.0


def _ranks(count: int, share: float, tail: float) -> tuple[int, int]:
    """1-based ranks ``(low, high)``; the caller made sure that both ends have support."""
    below = _Binomial(count, share)
    low = below.first + int(np.searchsorted(below.cumulative, tail, side="right"))
    high = below.first + int(np.searchsorted(below.cumulative, 1 - tail, side="left")) + 1
    # Give away what whole ranks leave over, lower end first.
    while low + 1 < high and below.at_most(low) + 1 - below.at_most(high - 1) <= 2 * tail:
        low += 1
    while low + 1 < high and below.at_most(low - 1) + 1 - below.at_most(high - 2) <= 2 * tail:
        high -= 1
    return max(low, 1), min(high, count)
