"""The parts of outputs that are compared by themselves.

A detector may give boxes of hundreds of pixels and scores below 1 in one tensor. A file whose
scores are all 0 then still has a cosine of 0.9995 with float: the boxes hide it.

Rules:

1. Each output is a part.
2. An output with two axes per sample, such as ``(22, 2100)``, is looked at along the shorter one.
   Where the sizes of its rows fall into groups, each ten times as large as the next, each group is
   a part as well.
3. Rows that never come near the largest number are noise and no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How much larger the smallest row of a group is than the largest of the next.
GAP = 10.0
#: Share of the largest number that a row must reach.
LEAST_PEAK = 1e-4
_TABLE = 2


def outputs_of(shapes: Sequence[tuple[int, ...]]) -> list[slice]:
    """Where each output stands in a row of all.

    Args:
        shapes: Shape per sample of each output.

    >>> outputs_of([(2, 3), (4,)])
    [slice(0, 6, None), slice(6, 10, None)]
    """
    ends = np.cumsum([prod(shape) for shape in shapes]).tolist()
    return [slice(start, end) for start, end in pairwise([0, *ends])]


def uneven_parts(
    rows: NDArray[Any], shapes: Sequence[tuple[int, ...]]
) -> Iterator[NDArray[np.int64]]:
    """Places, in a row of all outputs, of what is of one size in an uneven output (rules 2 and 3).

    Args:
        rows: All outputs of the float model, ``(n, numbers)``.
        shapes: Shape per sample of each output.
    """
    for part, shape in zip(outputs_of(shapes), shapes, strict=True):
        if len(shape) != _TABLE:
            continue
        places = np.arange(part.start, part.stop).reshape(shape)
        if shape[0] > shape[1]:
            places = places.T
        yield from _groups(rows, places)


def _groups(rows: NDArray[Any], places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    sizes = np.array([np.sqrt(np.mean(np.square(rows[:, place]))) for place in places])
    peaks = np.array([np.abs(rows[:, place]).max() for place in places])
    kept = np.flatnonzero(peaks > LEAST_PEAK * peaks.max())
    order = kept[np.argsort(-sizes[kept], kind="stable")]
    ends = [
        index + 1
        for index, (one, other) in enumerate(pairwise(order.tolist()))
        if sizes[one] > GAP * sizes[other]
    ]
    if ends:
        for start, end in pairwise([0, *ends, len(order)]):
            yield places[order[start:end]].reshape(-1)
