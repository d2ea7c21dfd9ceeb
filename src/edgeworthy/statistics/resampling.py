"""The bootstrap: intervals for figures that have no formula of their own.

Rules:

1. A sample enters through its *weight*: how often a resample drew it. Samples that count alike
   are one cell with a multiplicity, so that a set of any size costs as much as its table.
2. The same seed gives the same interval.
3. Memory is bounded: resamples are drawn in blocks, whatever the number of samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.replicates import Replicates

#: Weights ``(r, k)`` of ``k`` cells in ``r`` resamples -> figures ``(r,)`` or ``(r, m)``.
Statistic: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_BLOCK_VALUES = 262_144
_JACKKNIFE_CELLS = 200
_MOST_SKEWED_CELLS = 1_500
_MULTINOMIAL_COST = 4


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    confidence: float,
    seed: int,
    resamples: int = 2000,
    unit: str = "ratio",
) -> Estimate:
    """Bootstrap interval of a figure of ``n`` independent samples.

    Args:
        statistic: Takes weights ``(r, n)``, returns the figure per row ``(r,)``.
        n: Number of samples.
        confidence: Coverage to aim at, in (0, 1).
        seed: Seed of the resamples.
        resamples: How many.
        unit: Unit of the figure.

    >>> heights = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    >>> mean = bootstrap(
    ...     lambda weights: weights @ heights / weights.sum(axis=1),
    ...     8, confidence=0.95, seed=1, unit="m",
    ... )
    >>> mean.value, mean.low < 3.2, mean.high > 5.8
    (4.5, True, True)
    """
    (replicated,) = replicate(statistic, np.ones(n, dtype=np.int64), seed=seed, resamples=resamples)
    return replicated.interval(confidence=confidence, unit=unit)


def replicate(
    statistic: Statistic,
    multiplicities: NDArray[np.int64],
    *,
    seed: int | tuple[int, ...],
    resamples: int = 2000,
    scarce_n: int | None = None,
) -> tuple[Replicates, ...]:
    """Resample cells of samples and compute figures on each resample.

    Args:
        statistic: Takes weights ``(r, k)``, returns ``(r,)`` or ``(r, m)``.
        multiplicities: ``(k,)``: samples per cell, each at least 1.
        seed: Seed of the resamples.
        resamples: How many.

        scarce_n: Samples of the rarer kind where the figure compares two kinds; all if left out.

    Returns:
        One per figure.

    Raises:
        ValueError: There is no sample, or an empty cell.
    """
    if multiplicities.size == 0 or multiplicities.min() < 1:
        raise ValueError("every cell needs at least one sample")
    n = int(multiplicities.sum())
    observed = _columns(statistic, multiplicities[None, :].astype(np.float64))[0]
    generator = np.random.default_rng(seed)
    blocks = resampled_weights(multiplicities, resamples, generator)
    draws = np.concatenate([_columns(statistic, block) for block in blocks])
    draws = draws[np.isfinite(draws).all(axis=1)]
    accelerations = _accelerations(statistic, multiplicities, observed.size, generator)
    return tuple(
        Replicates(
            value=float(observed[column]),
            draws=draws[:, column],
            acceleration=float(accelerations[column]),
            n=n,
            scarce_n=n if scarce_n is None else scarce_n,
        )
        for column in range(observed.size)
    )


def _columns(statistic: Statistic, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    figures = statistic(weights)
    return figures[:, None] if figures.ndim == 1 else figures


def resampled_weights(
    multiplicities: NDArray[np.int64], resamples: int, generator: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Weights ``(r, k)`` of resamples in blocks of bounded memory.

    By cell or by sample, whichever is cheaper; the law is the same.

    Args:
        multiplicities: ``(k,)``: samples per cell, each at least 1.
        resamples: How many.
        generator: Of the resamples.
    """
    n, k = int(multiplicities.sum()), multiplicities.size
    rows = max(1, _BLOCK_VALUES // max(n, k))
    cell_of_sample = np.repeat(np.arange(k), multiplicities)
    shares = multiplicities / n
    for first in range(0, resamples, rows):
        count = min(rows, resamples - first)
        if k * _MULTINOMIAL_COST < n:
            yield generator.multinomial(n, shares, size=count).astype(np.float64)
            continue
        drawn = generator.integers(0, n, size=(count, n), dtype=np.int64)
        if k < n:
            drawn = cell_of_sample[drawn]
        drawn += np.arange(count)[:, None] * k
        yield np.bincount(drawn.ravel(), minlength=count * k).reshape(count, k).astype(np.float64)


def _accelerations(
    statistic: Statistic,
    multiplicities: NDArray[np.int64],
    figures: int,
    generator: np.random.Generator,
) -> NDArray[Any]:
    """Jackknife skewness per figure; 0 for many cells, where it is below 1 / sqrt(cells).

    Of cells one by one or of groups of samples: influences of groups are sums, so that their cubes
    add up to the same.
    """
    n, k = int(multiplicities.sum()), multiplicities.size
    if n == 1 or k > _MOST_SKEWED_CELLS:
        return np.zeros(figures)
    if k <= _JACKKNIFE_CELLS:
        counts, left_out = multiplicities, multiplicities.astype(np.float64) - np.eye(k)
    else:
        cells = generator.permutation(np.repeat(np.arange(k), multiplicities))
        groups = np.array_split(cells, _JACKKNIFE_CELLS)
        counts = np.ones(_JACKKNIFE_CELLS, dtype=np.int64)
        taken = np.stack([np.bincount(group, minlength=k) for group in groups])
        left_out = (multiplicities - taken).astype(np.float64)
    influences = _columns(statistic, left_out)
    used = np.all(np.isfinite(influences), axis=1)
    if not used.any():
        return np.zeros(figures)
    counts, influences = counts[used, None], influences[used]
    center = np.sum(counts * influences, axis=0) / counts.sum()
    deviations = center - influences
    variance = np.sum(counts * deviations**2, axis=0)
    third = np.sum(counts * deviations**3, axis=0)
    flat = variance <= np.finfo(np.float64).tiny
    return np.where(flat, 0.0, third / (6.0 * np.where(flat, 1.0, variance) ** 1.5))
