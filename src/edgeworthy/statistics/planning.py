"""How many more samples would settle what an interval leaves open."""

from __future__ import annotations

import math
from collections.abc import Callable

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import beta_probability
from edgeworthy.statistics.shares import adjusted_miss

_MOST_SAMPLES = 10**9
_MISSES: dict[str, Callable[[int, float], float]] = {
    "blaker-adjusted": adjusted_miss,
    "clopper-pearson": lambda _, confidence: 1.0 - confidence,
}


def samples_to_settle(estimate: Estimate, bound: float) -> int | None:
    """How many more samples move the interval off the bound, if the value stays as observed.

    For a share Clopper and Pearson's interval is solved for n; Blaker's of the same level lies
    inside it and may be settled a little sooner. For every other method the arm towards the bound
    is taken to shrink with the square root of n.

    Args:
        estimate: What was measured.
        bound: What it is held against, in the same unit.

    Returns:
        0 when the bound lies outside the interval; None when no number of samples would do (the
        value is the bound), when the figure is exact, or when it would take over a billion.

    >>> from edgeworthy.statistics.shares import share_interval
    >>> samples_to_settle(share_interval(96, 100, confidence=0.95), 0.95)
    1706
    """
    if not estimate.low <= bound <= estimate.high:
        return 0
    if bound == estimate.value or estimate.n < 1 or estimate.confidence >= 1.0:
        return None
    if estimate.method in _MISSES:
        needed = _exact_n(estimate, bound, _MISSES[estimate.method])
    else:
        needed = _root_n(estimate, bound)
    if not needed <= _MOST_SAMPLES:
        return None
    # The next whole number, so that the end passes the bound rather than touches it.
    return max(math.floor(needed) + 1 - estimate.n, 1)


def _root_n(estimate: Estimate, bound: float) -> float:
    above = estimate.value > bound
    arm = estimate.value - estimate.low if above else estimate.high - estimate.value
    return estimate.n * (arm / (estimate.value - bound)) ** 2


def _exact_n(estimate: Estimate, bound: float, miss: Callable[[int, float], float]) -> float:
    """The exact test of ``p = bound`` rejects from this n on, successes taken as continuous."""

    def settled(n: float) -> bool:
        tail = miss(int(n), estimate.confidence) / 2
        successes = estimate.value * n
        if estimate.value > bound:
            return beta_probability(bound, successes, n - successes + 1) < tail
        return beta_probability(1 - bound, n - successes, successes + 1) < tail

    low = high = float(estimate.n)
    while not settled(high):
        low, high = high, 2 * high
        if high > 2 * _MOST_SAMPLES:
            return math.inf
    while high - low > 0.5:  # noqa: PLR2004 - half a sample
        middle = (low + high) / 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high
