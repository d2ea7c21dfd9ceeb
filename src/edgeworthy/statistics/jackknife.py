"""The block jackknife: an interval for a smooth figure of many samples at a fixed cost.

The samples are dealt into blocks at random; the figure without each block in turn shows how much
it would vary. A hundred evaluations instead of thousands, and for the thousands of samples for
which it is meant the figure is as good as normally distributed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.distributions import student_t_quantile
from edgeworthy.statistics.resampling import Statistic

_BLOCKS = 100
_BLOCK_VALUES = 2_000_000
_LARGEST_ARM = 500.0
_NO_SKEW = 1e-9


@dataclass(frozen=True)
class Jackknifed:
    """A figure and how much it varies.

    Attributes:
        value: The figure on the data themselves.
        error: Its standard error.
        blocks: Blocks behind the standard error.
        n: Independent samples.
        skewness: Of the blocks' influences: positive where a few push the figure up.
        bias: How much larger the figure may be than that of all samples in the world.
    """

    value: float
    error: float
    blocks: int
    n: int
    skewness: float = 0.0
    bias: float = 0.0

    def interval(self, *, confidence: float, unit: str) -> Estimate:
        """Student's interval with one degree of freedom less than there are blocks.

        Args:
            confidence: Coverage to aim at, in (0, 1).
            unit: Unit of the figure.
        """
        arm = student_t_quantile((1 + confidence) / 2, self.blocks - 1) * self.error
        return Estimate(
            value=self.value,
            low=self.value - arm,
            high=self.value + arm,
            confidence=confidence,
            n=self.n,
            method="block-jackknife",
            unit=unit,
        )

    def skewed_interval(self, *, confidence: float, unit: str) -> Estimate:
        """Student's interval with Hall's correction for skewed influences.

        For a difference of two figures of the same samples, to which a few samples contribute most:
        it may be on either side of 0, so that no other scale helps. Of a figure with a bias it is
        all that lies in the interval with the bias or in that without it.

        Args:
            confidence: Coverage to aim at, in (0, 1).
            unit: Unit of the figure.

        Source: Hall, J. R. Stat. Soc. B 54 (1992) 221-228 (a monotone transformation).
        """
        quantile = student_t_quantile((1 + confidence) / 2, self.blocks - 1)
        low, high = (
            self.value - self.error * self._unskewed(each) for each in (quantile, -quantile)
        )
        return Estimate(
            value=self.value,
            low=min(low, low - self.bias, self.value),
            high=max(high, high - self.bias, self.value),
            confidence=confidence,
            n=self.n,
            method="jackknife-skewed",
            unit=unit,
        )

    def _unskewed(self, quantile: float) -> float:
        """Quantile of the studentized figure whose transformation is normal."""
        root = math.sqrt(self.blocks)
        lean = self.skewness / (3.0 * root)
        if abs(lean) < _NO_SKEW:
            return quantile
        moved = 1.0 + 3.0 * lean * (quantile - self.skewness / (6.0 * root))
        return (math.cbrt(moved) - 1.0) / lean

    def logit_interval(self, *, confidence: float, unit: str) -> Estimate:
        """Student's interval on the scale of log-odds, for a figure between 0 and 1.

        It leans away from the near end of the range and never leaves it. At 0 and 1 the scale ends,
        and the plain interval is given.

        Args:
            confidence: Coverage to aim at, in (0, 1).
            unit: Unit of the figure.

        Source: Barndorff-Nielsen and Cox, Inference and Asymptotics (1994), section 4.4.
        """
        if not 0.0 < self.value < 1.0:
            return self.interval(confidence=confidence, unit=unit)
        odds = self.value / (1.0 - self.value)
        error = self.error / (self.value * (1.0 - self.value))
        arm = student_t_quantile((1 + confidence) / 2, self.blocks - 1) * error
        # Beyond this a factor overflows, and the end is 0 or 1 anyhow.
        factor = math.exp(min(arm, _LARGEST_ARM))
        return Estimate(
            value=self.value,
            low=min(odds / (odds + factor), self.value),
            high=max(odds / (odds + 1.0 / factor), self.value),
            confidence=confidence,
            n=self.n,
            method="jackknife-logit",
            unit=unit,
        )


def block_jackknife(
    statistic: Statistic,
    multiplicities: NDArray[np.int64],
    *,
    seed: int | Sequence[int],
    blocks: int = _BLOCKS,
) -> Jackknifed:
    """Leave out a hundredth of the samples at a time.

    Args:
        statistic: Takes weights ``(r, k)``, returns the figure per row ``(r,)``.
        multiplicities: ``(k,)``: samples per cell, each at least 1.
        seed: Seed of the deal.
        blocks: How many, at least 2; at most one per sample is used.

    Raises:
        ValueError: There are fewer than two samples or blocks, or an empty cell.

    Source: Shao and Tu, The Jackknife and Bootstrap (1995), section 2.3 (delete-d, grouped).

    >>> heights = np.arange(1000.0)
    >>> mean = block_jackknife(
    ...     lambda weights: weights @ heights / weights.sum(axis=1),
    ...     np.ones(1000, dtype=np.int64), seed=1,
    ... )
    >>> mean.value, 7.0 < mean.error < 11.0  # 1000 / sqrt(12 * 1000) = 9.1
    (499.5, True)
    """
    n = int(multiplicities.sum())
    used = min(blocks, n)
    if used < 2 or multiplicities.min() < 1:  # noqa: PLR2004 - one block has no spread
        raise ValueError("a jackknife needs two samples and two blocks, and no empty cell")
    value = float(statistic(multiplicities[None, :].astype(np.float64))[0])
    cells = np.repeat(np.arange(multiplicities.size), multiplicities)
    dealt = np.array_split(np.random.default_rng(seed).permutation(cells), used)
    rows = max(1, _BLOCK_VALUES // multiplicities.size)
    figures = np.concatenate(
        [
            statistic(_without(multiplicities, dealt[first : first + rows]))
            for first in range(0, used, rows)
        ]
    )
    figures = figures[np.isfinite(figures)]
    influences = figures.mean() - figures if figures.size else np.zeros(1)
    spread = float(np.sum(influences**2))
    third = float(np.mean(influences**3))
    flat = spread <= np.finfo(np.float64).tiny
    return Jackknifed(
        value=value,
        error=math.sqrt(spread * (used - 1) / used),
        blocks=used,
        n=n,
        skewness=0.0 if flat else third / (spread / influences.size) ** 1.5,
    )


def half_sample_bias(
    statistic: Statistic, n: int, *, seed: int | Sequence[int], halvings: int = 60
) -> float:
    """How much larger a figure is of ``n`` samples than it would be of very many.

    A bias that falls as 1 / n grows by itself when the samples are halved. Halves show it with less
    noise than single samples left out, where the figure has steps.

    Args:
        statistic: Takes weights ``(r, n)``, returns the figure per row ``(r,)``.
        n: Number of samples.
        seed: Seed of the halvings.
        halvings: How many; both halves are used.

    Source: Quenouille, Biometrika 43 (1956) 353-360, with groups of half the samples.

    >>> heights = np.arange(100.0)
    >>> def spread(weights):  # the variance: of n samples it is smaller by a share of 1 / n
    ...     mean = weights @ heights / weights.sum(axis=1)
    ...     return weights @ heights**2 / weights.sum(axis=1) - mean**2
    >>> bias = half_sample_bias(spread, 100, seed=1)
    >>> -9.5 < bias < -7.5  # -833 / 99 = -8.4
    True
    """
    if n < 2:  # noqa: PLR2004 - it has no half
        return 0.0
    generator = np.random.default_rng(seed)
    first = np.argsort(generator.random((halvings, n)), axis=1) < n // 2
    halves = np.concatenate([first, ~first]).astype(np.float64)
    rows = max(1, _BLOCK_VALUES // n)
    figures = np.concatenate(
        [statistic(halves[start : start + rows]) for start in range(0, len(halves), rows)]
    )
    value = float(statistic(np.ones((1, n)))[0])
    figures = figures[np.isfinite(figures)]
    return float(figures.mean()) - value if figures.size and math.isfinite(value) else 0.0


def _without(
    multiplicities: NDArray[np.int64], dealt: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Weights ``(blocks, k)`` of all samples but one block."""
    counts = [np.bincount(block, minlength=multiplicities.size) for block in dealt]
    return multiplicities.astype(np.float64) - np.stack(counts)
