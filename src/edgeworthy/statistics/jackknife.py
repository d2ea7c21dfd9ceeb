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


@dataclass(frozen=True)
class Jackknifed:
    """A figure and how much it varies.

    Attributes:
        value: The figure on the data themselves.
        error: Its standard error.
        blocks: Blocks behind the standard error.
        n: Independent samples.
    """

    value: float
    error: float
    blocks: int
    n: int

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
    spread = float(np.sum((figures - figures.mean()) ** 2)) if figures.size else 0.0
    return Jackknifed(value=value, error=math.sqrt(spread * (used - 1) / used), blocks=used, n=n)


def _without(
    multiplicities: NDArray[np.int64], dealt: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Weights ``(blocks, k)`` of all samples but one block."""
    counts = [np.bincount(block, minlength=multiplicities.size) for block in dealt]
    return multiplicities.astype(np.float64) - np.stack(counts)
