"""Means of figures that are never below 0 and skewed to the right: errors, and their squares.

Rules:

1. Intervals are made on a logarithmic scale, on which such a mean is nearly symmetric.
2. The rare large square decides a mean of squares and is seldom among few samples, so that the
   upper arm is the longest of what several corrections say.
3. No interval covers a mean of unbounded figures whatever their distribution (Bahadur and Savage,
   Ann. Math. Stat. 27 (1956)): a few samples cannot tell how large the largest may be. These are
   made for tails up to those of Student's t with five degrees of freedom.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import normal_quantile, student_t_quantile
from edgeworthy.statistics.resampling import resampled_weights

_FEWEST_DEGREES = 2.0
_LARGEST_ARM = 500.0
# With more, both kinds of upper arm are alike.
_MOST_RESAMPLED = 2_000


def log_student_arm(values: NDArray[np.float64], *, confidence: float) -> float:
    """Arm of Student's interval of the logarithm of a mean; 0 for a mean of 0.

    Args:
        values: ``(n,)``, none below 0; at least two.
        confidence: Coverage to aim at, in (0, 1).
    """
    return student_t_quantile((1 + confidence) / 2, len(values) - 1) * _relative_error(values)


def root_mean_square(
    errors: NDArray[np.float64], *, confidence: float, seed: tuple[int, ...], resamples: int
) -> Estimate:
    """Root of the mean square, with a studentized bootstrap interval.

    The lower arm is Student's on a logarithmic scale. The upper is that of the studentized
    bootstrap, longer by 1 / sqrt(n), and at least Student's with as many degrees of freedom as the
    squares leave, times Bonett's factor.

    Args:
        errors: ``(n,)``, at least two.
        confidence: Coverage to aim at, in (0, 1).
        seed: Seed of the resamples.
        resamples: How many.

    Source: Hall, Ann. Stat. 16 (1988) 927-953 (studentized bootstrap); Satterthwaite, Biom. Bull. 2
    (1946) 110-114; Bonett, Comput. Stat. Data Anal. 50 (2006) 775-782.

    >>> found = root_mean_square(
    ...     np.array([1.0, -2.0, 3.0, -1.0, 2.0, 1.0]), confidence=0.95, seed=(1,), resamples=500
    ... )
    >>> round(found.value, 3), round(found.low, 1), round(found.high, 1)
    (1.826, 1.1, 4.2)
    """
    squares = np.asarray(errors, dtype=np.float64) ** 2
    value = math.sqrt(float(squares.mean()))
    below = log_student_arm(squares, confidence=confidence) / 2
    above = _upper_arm(squares, confidence, seed, resamples) / 2
    return Estimate(
        value=value,
        low=value * math.exp(-below),
        high=value * math.exp(min(max(above, below), _LARGEST_ARM)),
        confidence=confidence,
        n=len(squares),
        method="bootstrap-t-log",
        unit="label",
    )


def bonett_factor(n: int, *, confidence: float) -> float:
    """How much longer an arm of a mean of squares has to be for few samples.

    Source: Bonett, Comput. Stat. Data Anal. 50 (2006) 775-782.

    >>> round(bonett_factor(20, confidence=0.95), 3)
    1.109
    """
    z = normal_quantile((1 + confidence) / 2)
    return n / (n - z) if n > z + 1 else 1.0


def _relative_error(values: NDArray[np.float64]) -> float:
    mean = float(values.mean())
    return float(values.std(ddof=1)) / (math.sqrt(len(values)) * mean) if mean > 0 else 0.0


def _jackknifed_error(values: NDArray[np.float64]) -> float:
    """Of the logarithm of the mean, which one large value bends."""
    n = len(values)
    rest = values.sum() - values
    if rest.min() <= 0.0:
        return _relative_error(values)
    logarithms = np.log(rest)
    return math.sqrt((n - 1) * float(logarithms.var()))


def _upper_arm(
    squares: NDArray[np.float64], confidence: float, seed: tuple[int, ...], resamples: int
) -> float:
    """Of the logarithm of the mean."""
    n = len(squares)
    if squares.mean() <= 0.0 or np.ptp(squares) == 0.0:
        return 0.0
    factor = bonett_factor(n, confidence=confidence)
    quantile = student_t_quantile((1 + confidence) / 2, _degrees(squares))
    least = factor * quantile * _jackknifed_error(squares)
    if n > _MOST_RESAMPLED:
        return least
    studentized = _studentized(squares, seed, resamples)
    drawn = float(np.quantile(studentized, (1 - confidence) / 2)) if studentized.size else 0.0
    return max(-drawn * _relative_error(squares) * (1 + 1 / math.sqrt(n)), least)


def _studentized(
    squares: NDArray[np.float64], seed: tuple[int, ...], resamples: int
) -> NDArray[np.float64]:
    """Distance of the logarithm of resampled means in their own standard errors."""
    n = len(squares)
    generator = np.random.default_rng(seed)
    relative = squares / squares.mean()
    powers = np.stack([relative, relative**2], axis=1)
    blocks = resampled_weights(np.ones(n, dtype=np.int64), resamples, generator)
    means, second = np.concatenate([block @ powers for block in blocks]).T / n
    variances = np.maximum(second - means**2, 0.0) / (n - 1)
    known = (variances > np.finfo(np.float64).eps) & (means > 0)
    return np.asarray(np.log(means[known]) * means[known] / np.sqrt(variances[known]))


def _degrees(squares: NDArray[np.float64]) -> float:
    """Degrees of freedom of the standard error, from the kurtosis of the squares."""
    n = len(squares)
    centered = squares - squares.mean()
    kurtosis = float(np.mean(centered**4)) / float(np.mean(centered**2)) ** 2
    return min(max(2 * n / (kurtosis - 1 + 2 / (n - 1)), _FEWEST_DEGREES), n - 1.0)
