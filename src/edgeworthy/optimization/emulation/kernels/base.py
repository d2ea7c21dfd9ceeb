"""What an emulated operator is.

Rules:

1. A kernel gets arrays and gives one array; it computes what the engine's kernel computes, bit for
   bit where the result is an integer.
2. Only unsigned activations with signed weights saturate, and only signed weights wrap; zero points
   are subtracted afterwards, in 32 bits, so what saturates or wraps are the raw bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgeworthy.optimization.emulation.arithmetic import Arithmetic
from edgeworthy.optimization.emulation.products import Tally, sums_of_products
from edgeworthy.optimization.emulation.wrapping import NO_PAIRS, Pairs, matrix_pairs

Array = NDArray[Any]


class Kernel(Protocol):
    """One operator of the engine."""

    def __call__(
        self, node: NodeProto, inputs: Sequence[Array | None], arithmetic: Arithmetic, tally: Tally
    ) -> Array:
        """The operator's only output; an input that was left out is None."""


@dataclass(frozen=True)
class Bytes:
    """A tensor of bytes and the zero point that they are relative to.

    Attributes:
        values: As the engine stores them.
        zero_point: A scalar, or one per channel of a weight.
    """

    values: Array
    zero_point: Array


def zero_centred_sums(
    left: Bytes,
    right: Bytes,
    arithmetic: Arithmetic,
    *,
    steps: Array,
    tally: Tally,
    pairs: Pairs | None = None,
) -> NDArray[np.int64]:
    """The product of two matrices whose zero points are subtracted.

    Args:
        left: ``(rows, depth)`` with one zero point.
        right: ``(depth, columns)`` with one zero point or one per column.
        arithmetic: How pairs are added.
        steps: Output steps per unit of a sum, for the tally.
        tally: Is added to.
        pairs: Places in the depth that wrap where pairs do; a matrix product's when left out.

    Returns:
        ``(rows, columns)``.
    """
    signed_weights = right.values.dtype == np.int8
    if pairs is None:
        pairs = matrix_pairs(len(right.values))
    sums = sums_of_products(
        left.values,
        right.values,
        saturates=arithmetic.saturates_pairs and signed_weights and left.values.dtype == np.uint8,
        wrapping=pairs if arithmetic.wraps_pairs and signed_weights else NO_PAIRS,
        steps=steps,
        tally=tally,
    )
    left_zero = int(left.zero_point)
    right_zero = right.zero_point.astype(np.int64).reshape(-1)
    if left_zero:
        sums -= left_zero * right.values.astype(np.int64).sum(axis=0)
    if right_zero.any():
        depth = right.values.shape[0]
        of_rows = left.values.sum(axis=1, dtype=np.int64, keepdims=True)
        sums -= (of_rows - depth * left_zero) * right_zero
    return sums


def zero_of(given: Array | None, like: Array) -> Array:
    """A zero point that may be left out, as a scalar or one per channel."""
    if given is None:
        return np.zeros((), dtype=like.dtype)
    return given.reshape(()) if given.size == 1 else given.reshape(-1)


def needed(inputs: Sequence[Array | None], index: int) -> Array:
    """An input that the operator cannot do without."""
    value = inputs[index]
    if value is None:  # pragma: no cover - the engine loads no such graph
        raise ValueError(index)
    return value


def optional(inputs: Sequence[Array | None], index: int) -> Array | None:
    """An input that may be left out, even at the end."""
    return inputs[index] if index < len(inputs) else None
