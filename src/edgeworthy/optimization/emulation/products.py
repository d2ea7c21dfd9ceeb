"""Products of bytes, added up as a class of CPU does.

Rules:

1. The sums are exact integers. Matrix products run in floating point only where no partial sum can
   leave the range in which that is exact: below 2**24 in 32 bits, below 2**53 in 64.
2. Saturation is added on top: only a pair of weights of equal sign that add up to more than 128
   can saturate, so only those pairs are looked at.
3. So are sums of two that wrap; they need two weights of -128 (:mod:`wrapping`).
4. Memory is bounded: rows are taken in portions.
5. What saturates or wraps is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.optimization.emulation.wrapping import NO_PAIRS, WRAP, Pairs, wraps

Integers = NDArray[Any]
Sums = NDArray[np.int64]
_MOST_16 = 32_767.0
_EXACT_IN_FLOAT32 = 1 << 24
_PORTION_NUMBERS = 1 << 22


@dataclass
class Tally:
    """What became of the sums of one node.

    Attributes:
        pair_count: Sums of two products.
        saturated_count: Those that left 16 bits.
        sum_count: Whole sums: one per output number.
        changed_count: Whole sums that this changed.
        lost_total: Absolute change of all whole sums together, in output steps.
        lost_most: Largest absolute change of a whole sum, in output steps.
    """

    pair_count: int = 0
    saturated_count: int = 0
    sum_count: int = 0
    changed_count: int = 0
    lost_total: float = 0.0
    lost_most: float = 0.0


def sums_of_products(
    activations: Integers,
    weights: Integers,
    *,
    saturates: bool,
    wrapping: Pairs = NO_PAIRS,
    steps: NDArray[Any],
    tally: Tally,
) -> Sums:
    """The product of two matrices of bytes.

    Args:
        activations: ``(rows, depth)``, as the engine stores them: zero points not subtracted.
        weights: ``(depth, columns)``, likewise.
        saturates: Whether pairs of products, in the order of the depth, are added in 16 bits.
        wrapping: Places in the depth whose products are added in 16 bits that wrap.
        steps: ``(columns,)`` or ``()``: output steps per unit of a sum; for the tally.
        tally: Is added to.

    Returns:
        ``(rows, columns)``.

    >>> a, w = np.full((1, 2), 255, np.uint8), np.full((2, 1), 127, np.int8)
    >>> int(sums_of_products(a, w, saturates=True, steps=np.ones(1), tally=Tally())[0, 0])
    32767
    >>> int(sums_of_products(a, w, saturates=False, steps=np.ones(1), tally=Tally())[0, 0])
    64770
    """
    rows, columns = len(activations), weights.shape[1]
    real = _exact_type(activations, weights)
    right = weights.astype(real)
    pairs = list(_critical_pairs(weights)) if saturates else []
    sums = np.empty((rows, columns), dtype=np.int64)
    portion = max(1, _PORTION_NUMBERS // max(1, *weights.shape))
    for first in range(0, rows, portion):
        left = activations[first : first + portion].astype(real)
        part = (left @ right).astype(np.int64)
        if pairs:
            lost = _lost(left, pairs, columns, tally)
            _note_lost(lost, steps, tally)
            part -= lost.astype(np.int64)
        if len(wrapping):
            counts = wraps(activations[first : first + portion], weights, wrapping)
            note_wraps(counts, steps, tally)
            part -= counts.astype(np.int64) * WRAP
        sums[first : first + portion] = part
    tally.pair_count += rows * columns * ((weights.shape[0] + 1) // 2)
    tally.sum_count += rows * columns
    return sums


def _exact_type(activations: Integers, weights: Integers) -> type[np.floating[Any]]:
    """The narrower floating point type in which every partial sum is exact."""
    most = 255 if activations.dtype == np.uint8 else 128
    bound = most * int(np.abs(weights.astype(np.int64)).sum(axis=0).max(initial=0))
    return np.float32 if bound < _EXACT_IN_FLOAT32 else np.float64


@dataclass(frozen=True)
class _Pair:
    """Two neighbours in the depth, and the columns whose weights may saturate there."""

    depth: int
    columns: NDArray[np.int64]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    largest: float
    smallest: float


def _critical_pairs(weights: Integers) -> Iterator[_Pair]:
    even = weights.astype(np.int64)
    if len(even) % 2:
        even = np.concatenate([even, np.zeros_like(even[:1])])
    first, second = even[0::2], even[1::2]
    # Single products fit, so only weights of equal sign can saturate: their sum says it all.
    critical = np.abs(first + second) * 255 > _MOST_16
    for index in np.flatnonzero(critical.any(axis=1)):
        columns = np.flatnonzero(critical[index])
        left, right = (half[index, columns].astype(np.float32) for half in (first, second))
        yield _Pair(
            depth=2 * int(index),
            columns=columns,
            first=left,
            second=right,
            largest=float(max(left.max(), right.max())),
            smallest=float(min(left.min(), right.min())),
        )


def _lost(
    left: NDArray[Any], pairs: list[_Pair], columns: int, tally: Tally
) -> NDArray[np.float64]:
    """What saturation takes away from each sum, ``(rows, columns)``."""
    lost = np.zeros((len(left), columns), dtype=np.float64)
    by_depth = np.ascontiguousarray(left.T, dtype=np.float32)
    nothing = np.zeros(len(left), dtype=np.float32)
    for pair in pairs:
        first = by_depth[pair.depth]
        second = by_depth[pair.depth + 1] if pair.depth + 1 < len(by_depth) else nothing
        # No sum of two products exceeds the largest weight times the sum of the activations.
        rows = np.flatnonzero((first + second) * max(pair.largest, -pair.smallest) > _MOST_16)
        if not len(rows):
            continue
        products = np.multiply.outer(first[rows], pair.first)
        products += np.multiply.outer(second[rows], pair.second)
        excess = products - np.clip(products, -_MOST_16 - 1, _MOST_16)
        tally.saturated_count += int(np.count_nonzero(excess))
        lost[np.ix_(rows, pair.columns)] += excess
    return lost


def note_wraps(counts: NDArray[np.float64], steps: NDArray[Any], tally: Tally) -> None:
    """Count sums of two that wrapped.

    Args:
        counts: How many of each whole sum, ``(rows, columns)``.
        steps: ``(columns,)`` or ``()``: output steps per unit of a sum.
        tally: Is added to.
    """
    tally.saturated_count += int(counts.sum())
    _note_lost(counts * WRAP, steps, tally)


def _note_lost(lost: NDArray[np.float64], steps: NDArray[Any], tally: Tally) -> None:
    rows, columns = np.nonzero(lost)
    if len(rows):
        moved = np.abs(lost[rows, columns]) * np.broadcast_to(steps, lost.shape[1:])[columns]
        tally.changed_count += len(rows)
        tally.lost_total += float(moved.sum())
        tally.lost_most = max(tally.lost_most, float(moved.max()))
