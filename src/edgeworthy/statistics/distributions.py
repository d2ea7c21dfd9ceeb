"""Distribution functions that the intervals need, from the standard library alone.

Rules:

1. scipy is a development dependency only: its size has no place on a build machine. Everything
   here is checked against it to a relative 1e-9.
2. Tails are computed as tails, never as one minus the other tail, so that small ones stay exact.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_STANDARD_NORMAL = NormalDist()
_TINY = 1e-300
_FRACTION_TERMS = 20_000
_SOLVER_STEPS = 200


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution.

    >>> round(normal_quantile(0.975), 6)
    1.959964
    """
    return _STANDARD_NORMAL.inv_cdf(probability)


def normal_probability(quantile: float) -> float:
    """Distribution function of the standard normal distribution, exact in the lower tail.

    >>> f"{normal_probability(-10.0):.4g}"
    '7.62e-24'
    """
    return 0.5 * math.erfc(-quantile / math.sqrt(2.0))


def beta_probability(x: float, a: float, b: float) -> float:
    """Regularized incomplete beta function, the distribution function of Beta(a, b).

    Args:
        x: In [0, 1].
        a: First shape, above 0.
        b: Second shape, above 0.

    Source: continued fraction DLMF 8.17.22, evaluated by Lentz's method.

    >>> round(beta_probability(0.25, 1.0, 1.0), 12)
    0.25
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(_log_density_times_x(x, a, b))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _continued_fraction(x, a, b) / a
    return 1.0 - front * _continued_fraction(1.0 - x, b, a) / b


def _log_density_times_x(x: float, a: float, b: float) -> float:
    """Log of x^a (1-x)^b / B(a, b)."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return a * math.log(x) + b * math.log1p(-x) - log_beta


def _continued_fraction(x: float, a: float, b: float) -> float:
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _FRACTION_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _away_from_zero(1.0 + even * d)
        c = _away_from_zero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _away_from_zero(1.0 + odd * d)
        c = _away_from_zero(1.0 + odd / c)
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:  # noqa: PLR2004 - a few units in the last place
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Quantile of Beta(a, b): Newton steps kept inside a shrinking bracket.

    Args:
        probability: In (0, 1).
        a: First shape, above 0.
        b: Second shape, above 0.

    >>> round(beta_quantile(0.5, 3.0, 3.0), 12)
    0.5
    """
    low, high = 0.0, 1.0
    x = a / (a + b)
    for _ in range(_SOLVER_STEPS):
        miss = beta_probability(x, a, b) - probability
        low, high = (low, x) if miss > 0 else (x, high)
        slope = math.exp(_log_density_times_x(x, a, b)) / (x * (1.0 - x))
        following = x - miss / slope if slope > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 1e-15 * x or following in (low, high):
            return following
        x = following
    return x


def student_t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Quantile of Student's t distribution, by its relation to Beta(df/2, 1/2).

    >>> round(student_t_quantile(0.975, 4), 4)
    2.7764
    """
    tail = min(probability, 1.0 - probability)
    if tail == 0.5:  # noqa: PLR2004 - the median
        return 0.0
    x = beta_quantile(2.0 * tail, degrees_of_freedom / 2, 0.5)
    t = math.sqrt(degrees_of_freedom * (1.0 - x) / x)
    return t if probability > tail else -t
