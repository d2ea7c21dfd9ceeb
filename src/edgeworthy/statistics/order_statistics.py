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
4. Observations that resemble their neighbours say less than as many independent ones. Their
   number is divided by the design effect of the groups they came in, with the correction for few
   groups, before ranks are taken. Source: E. L. Korn and B. I. Graubard, *Confidence intervals for
   proportions with small expected number of positive counts estimated from survey data*, Survey
   Methodology 24 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Record

#: Half width of the window in which binomial probabilities are summed: what lies outside has a
#: probability below 1e-20.
_WINDOW_DEVIATIONS = 12.0
_WINDOW_EXTRA = 60


class Refusal(Record, frozen=True, kw_only=True):
    """Why no interval can be given.

    Attributes:
        reason: One sentence without a full stop.
        needed: How many observations would do.
    """

    reason: str
    needed: int


def percentile_interval(
    sorted_values: NDArray[Any],
    percent: float,
    *,
    confidence: float,
    unit: str,
    effective_count: float | None = None,
) -> Estimate | Refusal:
    """A percentile between two order statistics.

    Args:
        sorted_values: ``(n,)``, ascending.
        percent: For example 99; above 0 and below 100.
        confidence: Coverage to reach, in (0, 1).
        unit: Unit of the values.
        effective_count: Number of independent observations that these are worth, see
            :func:`effective_count`; all of them when left out.

    Returns:
        The nearest-rank percentile with its interval, or why these values do not support one.

    >>> percentile_interval(np.arange(1.0, 101.0), 50, confidence=0.95, unit="ms").high
    61.0
    >>> percentile_interval(np.arange(20.0), 99, confidence=0.95, unit="ms").needed
    368
    """
    share = _share(percent)
    count = len(sorted_values)
    worth = count if effective_count is None else int(min(effective_count, count))
    needed = queries_needed(percent, confidence)
    if worth < needed:
        return _refusal(percent, confidence, count=count, worth=worth)
    low_rank, high_rank = _ranks(worth, share, (1 - confidence) / 2)
    scale = (count + 1) / (worth + 1)
    low = sorted_values[max(math.floor(low_rank * scale), 1) - 1]
    high = sorted_values[min(math.ceil(high_rank * scale), count) - 1]
    value = sorted_values[max(math.ceil(share * count), 1) - 1]
    return Estimate(
        value=float(value),
        low=float(min(low, value)),
        high=float(max(high, value)),
        confidence=confidence,
        n=worth,
        method="order-statistic",
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


def effective_count(groups: Sequence[NDArray[Any]], percent: float, *, confidence: float) -> float:
    """Number of independent observations that groups of alike ones are worth, for a percentile.

    Args:
        groups: At least two arrays of observations; those of one group (one start of a process,
            one stretch of time) may resemble each other, those of two groups do not.
        percent: The percentile that is to be estimated.
        confidence: Coverage of the interval that will be made from it.

    Returns:
        At most the number of observations, at least the number of groups.
    """
    share = _share(percent)
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    total = float(sizes.sum())
    if len(groups) < 2:  # noqa: PLR2004 - a spread takes two
        return total
    threshold = np.quantile(np.concatenate(list(groups)), share, method="inverted_cdf")
    below = np.array([np.count_nonzero(group <= threshold) for group in groups])
    # Ties at the threshold (a coarse clock) may put more than the nominal share below it.
    centre = float(below.sum()) / total
    spread = centre * (1 - centre)
    if spread == 0:
        return total
    excess = below - sizes * centre
    freedom = len(groups) - 1
    design_effect = float(np.square(excess).sum()) * len(groups) / freedom / (total * spread)
    inflation = design_effect * _few_groups_factor(confidence, freedom)
    # Each group as a whole is one independent observation, however alike its members are.
    return max(total / max(inflation, 1.0), min(float(len(groups)), total))


def _share(percent: float) -> float:
    if not 0 < percent < 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"a percentile lies between 0 and 100, not {percent}")
    # 99.9 / 100 is 0.9990000000000001, enough to shift a rank of a large sample.
    return round(percent / 100, 12)


def _refusal(percent: float, confidence: float, *, count: int, worth: int) -> Refusal:
    needed = queries_needed(percent, confidence)
    wanted = f"p{percent:g} at {confidence * 100:g} % confidence"
    if worth == count:
        return Refusal(reason=f"{wanted} needs {needed} queries, found {count}", needed=needed)
    queries = math.ceil(needed * count / max(worth, 1))
    return Refusal(
        reason=(
            f"{wanted} needs {needed} independent queries; the {count} found are worth {worth}, "
            f"because those of one start are alike; about {queries} in as many more starts would do"
        ),
        needed=queries,
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


def _few_groups_factor(confidence: float, freedom: int) -> float:
    """Squared ratio of Student's t to the normal quantile.

    Source: Cornish-Fisher expansion, M. Abramowitz and I. Stegun, *Handbook of Mathematical
    Functions*, 26.7.5.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    t = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    return (t / z) ** 2
