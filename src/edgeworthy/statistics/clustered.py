"""Means over several conditions under which the same samples were seen.

A sample that is easy under one condition tends to be easy under the next, so that a thousand
answers about a hundred samples are not a thousand observations. The sample is the observation; what
it scored over the conditions is one figure.

Rules:

1. n is the number of samples, never of answers.
2. Shares use score intervals at the effective sample size, so that they stay in their range and are
   never a point; other means use Student's t.
3. The arms of a share are at least what one unseen kind of sample could do, hit or missed under
   every condition: without that a mean over a hundred conditions claims too much of few samples.
4. How well each covers is checked by simulation in the tests.

Source: Korn and Graubard, Survey Methodology 24 (1998) 193-201 (effective sample size, with the
degrees of freedom); Franco et al., J. Surv. Stat. Methodol. 7 (2019) 334-364 (Wilson's interval
with it does best for clustered shares).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import normal_quantile, student_t_quantile
from edgeworthy.statistics.proportions import tango_limits
from edgeworthy.statistics.replicates import unseen_share

_FEWEST_SAMPLES = 2


def clustered_share(hits: NDArray[np.bool_], *, confidence: float) -> Estimate:
    """Mean share of hits over conditions and samples.

    Args:
        hits: ``(conditions, n)``.
        confidence: Coverage to aim at, in (0, 1).

    >>> hits = np.array([[True, True, False, True], [True, False, False, True]])
    >>> estimate = clustered_share(hits, confidence=0.95)
    >>> estimate.value, estimate.n
    (0.625, 4)
    """
    shares = hits.mean(axis=0)
    n, value = len(shares), float(shares.mean())
    z, effective = _effective(shares, value * (1 - value), confidence)
    center = (value + z * z / (2 * effective)) / (1 + z * z / effective)
    spread = value * (1 - value) / effective + (z / (2 * effective)) ** 2
    half = z * math.sqrt(spread) / (1 + z * z / effective)
    # A kind of sample that is missed under every condition may not be among these (rule 3).
    unseen = unseen_share(n, confidence=confidence)
    low, high = value * (1 - unseen), value + (1 - value) * unseen
    return Estimate(
        value=value,
        low=min(low, max(center - half, 0.0)),
        high=max(high, min(center + half, 1.0)),
        confidence=confidence,
        n=n,
        method="wilson-clustered",
        unit="ratio",
    )


def clustered_share_difference(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, confidence: float
) -> Estimate:
    """Mean share of hits of the first minus that of the second, on the same samples.

    Args:
        first: ``(conditions, n)``.
        second: ``(conditions, n)``, the same samples under the same conditions.
        confidence: Coverage to aim at, in (0, 1).

    >>> hits = np.array([[True, True, False, True]])
    >>> clustered_share_difference(hits, hits, confidence=0.95).value
    0.0
    """
    lost, gained = float((first & ~second).mean()), float((second & ~first).mean())
    differences = first.mean(axis=0) - second.mean(axis=0)
    n, value = len(differences), lost - gained
    z, effective = _effective(differences, lost + gained - value**2, confidence)
    low, high = tango_limits(lost * effective, gained * effective, effective, z=z)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        confidence=confidence,
        n=n,
        method="tango-clustered",
        unit="ratio",
    )


def student_mean(values: NDArray[np.float64], *, confidence: float, unit: str) -> Estimate | None:
    """Mean of one figure per sample with Student's interval; none for a single sample.

    Args:
        values: ``(n,)``.
        confidence: Coverage to aim at, in (0, 1).
        unit: Of the values.
    """
    n = len(values)
    if n < _FEWEST_SAMPLES:
        return None
    value = float(values.mean())
    arm = student_t_quantile((1 + confidence) / 2, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(
        value=value,
        low=value - arm,
        high=value + arm,
        confidence=confidence,
        n=n,
        method="student-t",
        unit=unit,
    )


def ratio_of_means(
    above: NDArray[np.float64], below: NDArray[np.float64], *, confidence: float
) -> Estimate | None:
    """Mean of the one figure over mean of the other, on the same samples.

    The interval is symmetric on a logarithmic scale, and at least as wide as what one unseen kind
    of sample could do. None where either mean is not above 0.

    Args:
        above: ``(n,)``.
        below: ``(n,)``, of the same samples.
        confidence: Coverage to aim at, in (0, 1).

    Source: the delta method; Fieller's interval differs little where the lower mean is well
    above 0.

    >>> ratio_of_means(np.array([2.0, 4.0]), np.array([1.0, 2.0]), confidence=0.95).value
    2.0
    """
    n = len(above)
    top, bottom = float(above.mean()), float(below.mean())
    if n < _FEWEST_SAMPLES or top <= 0.0 or bottom <= 0.0:
        return None
    ratio = top / bottom
    residuals = above / top - below / bottom
    error = float(residuals.std(ddof=1)) / math.sqrt(n)
    floor = unseen_share(n, confidence=confidence) / max(top, bottom) / math.sqrt(n)
    arm = max(student_t_quantile((1 + confidence) / 2, n - 1) * error, floor)
    return Estimate(
        value=ratio,
        low=ratio * math.exp(-arm),
        high=ratio * math.exp(arm),
        confidence=confidence,
        n=n,
        method="delta-log-ratio",
        unit="ratio",
    )


def _effective(
    values: NDArray[np.float64], unit_variance: float, confidence: float
) -> tuple[float, float]:
    """Normal quantile, and how many independent answers tell as much as these samples do."""
    n = len(values)
    z = normal_quantile((1 + confidence) / 2)
    variance = float(values.var(ddof=1)) / n if n >= _FEWEST_SAMPLES else 0.0
    if variance <= 0.0 or unit_variance <= 0.0:
        return z, float(n)
    t = student_t_quantile((1 + confidence) / 2, n - 1)
    return z, unit_variance / variance * (z / t) ** 2
