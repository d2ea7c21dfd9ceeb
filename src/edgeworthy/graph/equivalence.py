"""How far two sets of outputs are apart.

Rules:

1. The scale is the largest absolute value of the same output, on either side, so that the measure
   is symmetric and never above 2.
2. NaN and infinities agree with themselves at the same place; anywhere else the distance is
   infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import OptimizationError
from edgeworthy.graph.quoting import quoted_list


def compare_outputs(left: Mapping[str, NDArray[Any]], right: Mapping[str, NDArray[Any]]) -> float:
    """The largest difference of two sets of outputs.

    Args:
        left: Outputs by name, any shape.
        right: The same names and shapes.

    Returns:
        Over all outputs, the largest absolute difference divided by the largest absolute value of
        that output; 0 when they are equal.

    Raises:
        OptimizationError: Names or shapes differ.

    >>> compare_outputs({"y": np.array([1.0, -4.0])}, {"y": np.array([1.0, -3.0])})
    0.25
    """
    if left.keys() != right.keys():
        raise OptimizationError(
            "the outputs have other names",
            expected=quoted_list(left),
            found=quoted_list(right),
        )
    for name, values in left.items():
        if values.shape != right[name].shape:
            raise OptimizationError(
                f"the output {quoted_list([name])} has another shape",
                expected=str(values.shape),
                found=str(right[name].shape),
            )
    return max((_distance(values, right[name]) for name, values in left.items()), default=0.0)


def _distance(left: NDArray[Any], right: NDArray[Any]) -> float:
    one, other = left.astype(np.float64), right.astype(np.float64)
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return math.inf
    if not np.isfinite(other[finite]).all():
        return math.inf
    one, other = one[finite], other[finite]
    largest = max(np.abs(one).max(initial=0.0), np.abs(other).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    # Dividing first keeps the difference of two huge values from overflowing.
    return float(np.abs(one / largest - other / largest).max())
