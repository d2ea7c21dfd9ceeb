"""Values in the dtype that a model takes, without silent damage.

Rules:

1. A float becomes an integer by rounding only where it was computed; what overflows is an error.
2. Precision may be lost (float64 to float32), magnitude may not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError


def cast(values: NDArray[Any], dtype_name: str, *, where: str) -> NDArray[Any]:
    """``values`` as the input's dtype, contiguous in memory.

    Args:
        values: Any numbers.
        dtype_name: A numpy name, for example ``float32``.
        where: Input and sample, for the message.

    Raises:
        DatasetError: The dtype is unknown, or cannot hold a value.

    >>> cast(np.array([0.4, 254.6]), "uint8", where="x").tolist()
    [0, 255]
    """
    try:
        dtype = np.dtype(dtype_name)
    except TypeError as error:
        raise DatasetError(
            f"samples cannot be given as `{dtype_name}`",
            expected="an input of numbers",
            where=where,
            next_step="Export the model with inputs of integers, floats or booleans",
        ) from error
    if values.dtype == dtype:
        return np.ascontiguousarray(values)
    if dtype.kind in "iu":
        _check_integer_range(values, dtype, where)
        values = np.rint(values) if values.dtype.kind == "f" else values
        return np.ascontiguousarray(values, dtype=dtype)
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(values, dtype=dtype)
    if dtype.kind == "f" and values.size and not np.isfinite(result).all():
        raise _overflow(values, dtype, where)
    return result


def _check_integer_range(values: NDArray[Any], dtype: np.dtype[Any], where: str) -> None:
    if not values.size or values.dtype.kind == "b":
        return
    limits = np.iinfo(dtype)
    low, high = float(values.min()), float(values.max())
    if round(low) < limits.min or round(high) > limits.max:
        raise _overflow(values, dtype, where)


def _overflow(values: NDArray[Any], dtype: np.dtype[Any], where: str) -> DatasetError:
    return DatasetError(
        f"values do not fit into the input's dtype {dtype}",
        found=f"values from {values.min():g} to {values.max():g}",
        where=where,
        next_step="Check `mean` and `std`, or the stored samples",
    )
