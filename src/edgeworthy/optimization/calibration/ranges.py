"""The calibrators: from what was seen of a tensor to the range that its integers stand for.

Rules, for all of them:

1. A range lies within the extremes that were seen.
2. What was seen decides; nothing is drawn. The same sight gives the same range.
3. A tensor with one value has a range of that value.

The family:

- ``minmax``: the smallest and the largest value.
- ``moving-average``: the mean of the extremes of runs of at most eight samples; from the twentieth
  run on a new one counts for 5 %.
- ``percentile-P``: cuts off ``100 - P`` percent of the values at either end: a few outliers must
  not make all steps coarser.
- ``entropy``: the cut that loses the least information (divergence of Kullback and Leibler between
  the values and their steps).
- ``mse``: the cut with the smallest mean square error.

Source of ``entropy``: Migacz, 8-bit Inference with TensorRT, 2017; ours cuts both ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import UsageError
from edgeworthy.optimization.calibration.histogram import Histogram

#: The methods that need no number; ``percentile-P`` is one more for every P.
SIMPLE = ("minmax", "moving-average", "entropy", "mse")
#: Takes for each tensor the candidate that disturbs what is computed from it least.
OUTPUT_ERROR = "output-error"
PERCENTILE = "percentile-"
STEPS = 255
_LEVELS = 128
_AVERAGED_RUNS = 20
#: Shares of the full range that are tried as cuts.
_SHARES = np.linspace(1.0, 0.2, 41)
_FINE = np.linspace(1.0, 0.4, 25)


@dataclass(frozen=True)
class TensorRange:
    """The interval of reals that the integers of a tensor stand for."""

    lowest: float
    highest: float


@dataclass
class Sight:
    """What is remembered of a tensor.

    Attributes:
        histogram: Its values, or an even sample of them.
        mean_lowest: Moving average of the smallest values.
        mean_highest: Moving average of the largest ones.
        run_count: Runs that went in.
    """

    histogram: Histogram = field(default_factory=Histogram)
    mean_lowest: float = 0.0
    mean_highest: float = 0.0
    run_count: int = 0

    def add(self, values: NDArray[np.float32], lowest: float, highest: float) -> None:
        """Note a run: some of its values, and the extremes of all of them."""
        self.histogram.cover(lowest, highest)
        self.histogram.count(values)
        self.run_count += 1
        weight = 1.0 / min(self.run_count, _AVERAGED_RUNS)
        self.mean_lowest += (lowest - self.mean_lowest) * weight
        self.mean_highest += (highest - self.mean_highest) * weight


def check_method(method: str) -> None:
    """Refuse what is no calibration method.

    Raises:
        UsageError: There is no such method.
    """
    if method not in {*SIMPLE, OUTPUT_ERROR}:
        cut_ratio(method)


def cut_ratio(method: str) -> float:
    """Share of the values that a percentile cuts off at either end.

    Raises:
        UsageError: There is no such method.

    >>> round(cut_ratio("percentile-99.995"), 9)
    5e-05
    """
    try:
        percent = float(method.removeprefix(PERCENTILE))
    except ValueError:
        percent = math.nan
    if not method.startswith(PERCENTILE) or not 50.0 < percent < 100.0:  # noqa: PLR2004 - percent
        known = ", ".join(f"`{name}`" for name in (*SIMPLE, OUTPUT_ERROR))
        raise UsageError(
            "unknown calibration method",
            expected=f"{known} or `percentile-P` with P between 50 and 100",
            found=f"`{method}`",
        )
    return (100.0 - percent) / 100.0


def range_of(sight: Sight, method: str) -> TensorRange:
    """The range that a method finds; ``output-error`` needs more than one tensor's sight.

    Raises:
        UsageError: There is no such method.
    """
    simple: dict[str, Callable[[Sight], TensorRange]] = {
        "minmax": _minmax,
        "moving-average": _moving_average,
        "entropy": _entropy,
        "mse": _least_square_error,
    }
    if method in simple:
        return simple[method](sight)
    return _percentile(sight, cut_ratio(method))


def _minmax(sight: Sight) -> TensorRange:
    return TensorRange(sight.histogram.lowest, sight.histogram.highest)


def _moving_average(sight: Sight) -> TensorRange:
    return TensorRange(sight.mean_lowest, sight.mean_highest)


def _percentile(sight: Sight, ratio: float) -> TensorRange:
    seen = sight.histogram
    middles, counts = seen.filled()
    rank = math.floor(seen.value_count * ratio)
    if rank == 0:
        return _minmax(sight)
    # The value of a rank lies somewhere in its bin; the outer edge cuts off no more than asked.
    first = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
    last = len(counts) - 1 - int(np.searchsorted(np.cumsum(counts[::-1]), rank, side="right"))
    half = seen.width / 2
    return _within(sight, float(middles[first]) - half, float(middles[max(first, last)]) + half)


def _within(sight: Sight, lowest: float, highest: float) -> TensorRange:
    seen = sight.histogram
    return TensorRange(max(lowest, seen.lowest), min(highest, seen.highest))


def _cuts(sight: Sight, shares: NDArray[np.float64]) -> Iterator[TensorRange]:
    for share in shares:
        yield TensorRange(
            float(sight.histogram.lowest * share), float(sight.histogram.highest * share)
        )


def _least_square_error(sight: Sight) -> TensorRange:
    """Both ends together first, then each alone."""
    middles, counts = sight.histogram.filled()

    def error(found: TensorRange) -> float:
        rounded = in_steps(middles, found)
        return float((rounded - middles) ** 2 @ counts)

    best = min(_cuts(sight, _SHARES), key=error)
    lows = (TensorRange(best.lowest * share, best.highest) for share in _FINE)
    best = min(lows, key=error)
    highs = (TensorRange(best.lowest, best.highest * share) for share in _FINE)
    return _kept_inside(sight, min(highs, key=error))


def _kept_inside(sight: Sight, found: TensorRange) -> TensorRange:
    """Rule 1 for tensors that never are near 0, where a share of the extremes lies outside."""
    seen = sight.histogram
    lowest, highest = (
        min(max(end, seen.lowest), seen.highest) for end in (found.lowest, found.highest)
    )
    return TensorRange(min(lowest, highest), max(lowest, highest))


def in_steps(values: NDArray[np.float64], found: TensorRange) -> NDArray[np.float64]:
    """Values as 8-bit integers of a range give them back.

    >>> in_steps(np.array([0.3, 2.0]), TensorRange(0.0, 1.0)).round(3).tolist()
    [0.298, 1.0]
    """
    lowest, highest = min(found.lowest, 0.0), max(found.highest, 0.0)
    step = (highest - lowest) / STEPS or 1.0
    zero = np.rint(-lowest / step)
    integers = np.clip(np.rint(values / step) + zero, 0, STEPS)
    return np.asarray((integers - zero) * step)


def _entropy(sight: Sight) -> TensorRange:
    middles, counts = sight.histogram.filled()
    best = min(_cuts(sight, _SHARES), key=lambda cut: _lost_information(middles, counts, cut))
    return _kept_inside(sight, best)


def _lost_information(
    middles: NDArray[np.float64], counts: NDArray[np.float64], cut: TensorRange
) -> float:
    """Divergence between the values, those beyond the cut moved to its edge, and their steps."""
    inside = (middles >= cut.lowest) & (middles <= cut.highest)
    if not inside.any() or cut.highest <= cut.lowest:
        return math.inf
    kept = counts[inside]
    clipped = kept.copy()
    clipped[0] += counts[middles < cut.lowest].sum()
    clipped[-1] += counts[middles > cut.highest].sum()
    share = (middles[inside] - cut.lowest) / (cut.highest - cut.lowest)
    level = np.minimum((share * _LEVELS).astype(np.int64), _LEVELS - 1)
    filled = kept > 0
    in_level = np.bincount(level, weights=kept, minlength=_LEVELS)
    bins_in_level = np.bincount(level, weights=filled, minlength=_LEVELS)
    spread = np.where(filled, in_level[level] / np.maximum(bins_in_level[level], 1.0), 0.0)
    real, rough = clipped / clipped.sum(), spread / max(spread.sum(), 1.0)
    both = (real > 0) & (rough > 0)
    # What has no counterpart is lost entirely: a large, finite penalty keeps cuts comparable.
    missing = float(real[(real > 0) & ~both].sum())
    return float((real[both] * np.log(real[both] / rough[both])).sum()) + 10.0 * missing
