"""How many more samples would settle what an interval leaves open."""

from __future__ import annotations

import math

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import beta_probability, normal_quantile

_MOST_SAMPLES = 10**9
_SCORE_METHODS = ("wilson",)
_EXACT_METHODS = ("clopper-pearson",)


def samples_to_settle(estimate: Estimate, bound: float) -> int | None:
    """How many more samples move the interval off the bound, if the value stays as observed.

    Wilson and Clopper-Pearson intervals are solved for n; for every other method the arm
    towards the bound is taken to shrink with the square root of n.

    Args:
        estimate: What was measured.
        bound: What it is held against, in the same unit.

    Returns:
        0 when the bound lies outside the interval; None when no number of samples would do (the
        value is the bound), when the figure is exact, or when it would take over a billion.

    >>> from edgeworthy.statistics.proportions import wilson
    >>> samples_to_settle(wilson(96, 100, confidence=0.95), 0.95)
    1725
    """
    if not estimate.low <= bound <= estimate.high:
        return 0
    if bound == estimate.value or estimate.n < 1 or estimate.confidence >= 1.0:
        return None
    if estimate.method in _SCORE_METHODS:
        needed = _wilson_n(estimate, bound)
    elif estimate.method in _EXACT_METHODS:
        needed = _clopper_pearson_n(estimate, bound)
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


def _wilson_n(estimate: Estimate, bound: float) -> float:
    """The score test of ``p = bound`` rejects from this n on."""
    z_squared = normal_quantile((1 + estimate.confidence) / 2) ** 2
    return z_squared * bound * (1 - bound) / (estimate.value - bound) ** 2


def _clopper_pearson_n(estimate: Estimate, bound: float) -> float:
    """The exact test of ``p = bound`` rejects from this n on, successes taken as continuous."""
    tail = (1 - estimate.confidence) / 2

    def settled(n: float) -> bool:
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
