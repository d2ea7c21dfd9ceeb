"""``QGemm``, ``QLinearMatMul`` and ``MatMulIntegerToFloat``: matrix products of bytes.

Rules:

1. A product with one weight matrix is one product of all rows; a product of two computed tensors
   is one product per pair of matrices.
2. Without an output scale the sums leave as float32, times their scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgeworthy.optimization.emulation.arithmetic import Arithmetic
from edgeworthy.optimization.emulation.kernels.base import (
    Array,
    Bytes,
    needed,
    optional,
    zero_centred_sums,
    zero_of,
)
from edgeworthy.optimization.emulation.products import Tally
from edgeworthy.optimization.emulation.requantization import factors, requantized
from edgeworthy.optimization.wiring import attribute

_MATRIX_RANK = 2


def qgemm(
    node: NodeProto, inputs: Sequence[Array | None], arithmetic: Arithmetic, tally: Tally
) -> Array:
    """``(rows, columns)``: bytes when the output has a zero point, else float32."""
    a, a_scale, b, b_scale = (needed(inputs, index) for index in (0, 1, 3, 4))
    left = a.T if attribute(node, "transA", 0) else a
    right = b.T if attribute(node, "transB", 0) else b
    scale = factors(np.float32(attribute(node, "alpha", 1.0)) * a_scale, b_scale, _ONE)
    y_scale, y_zero = optional(inputs, 7), optional(inputs, 8)
    factor = scale if y_scale is None else np.asarray(scale / y_scale, dtype=np.float32)
    sums = zero_centred_sums(
        Bytes(left, zero_of(inputs[2], a)),
        Bytes(right, zero_of(inputs[5], b)),
        arithmetic,
        steps=factor,
        tally=tally,
    )
    bias = optional(inputs, 6)
    if bias is not None:
        sums = sums + bias.astype(np.int64)
    if y_scale is None or y_zero is None:
        return np.asarray(sums.astype(np.float32) * factor)
    return requantized(sums, factor, zero_of(y_zero, y_zero))


def qlinear_matmul(
    node: NodeProto,  # noqa: ARG001 - it has no attributes
    inputs: Sequence[Array | None],
    arithmetic: Arithmetic,
    tally: Tally,
) -> Array:
    """``(..., rows, columns)`` bytes, see the ONNX specification of ``QLinearMatMul``."""
    a, a_scale, b, b_scale, y_scale, y_zero = (
        needed(inputs, index) for index in (0, 1, 3, 4, 6, 7)
    )
    factor = factors(a_scale, b_scale, y_scale)
    sums = _batched(
        Bytes(a, zero_of(inputs[2], a)),
        Bytes(b, zero_of(inputs[5], b)),
        (arithmetic, factor, tally),
    )
    return requantized(sums, factor, zero_of(y_zero, y_zero))


def matmul_integer_to_float(
    node: NodeProto,  # noqa: ARG001 - it has no attributes
    inputs: Sequence[Array | None],
    arithmetic: Arithmetic,
    tally: Tally,
) -> Array:
    """``(..., rows, columns)`` float32: an operator of ONNX Runtime's own."""
    a, b, a_scale, b_scale = (needed(inputs, index) for index in range(4))
    scale = factors(a_scale, b_scale, _ONE)
    sums = _batched(
        Bytes(a, zero_of(optional(inputs, 4), a)),
        Bytes(b, zero_of(optional(inputs, 5), b)),
        (arithmetic, scale, tally),
    )
    result = sums.astype(np.float32) * scale
    bias = optional(inputs, 6)
    return np.asarray(result if bias is None else result + bias)


def matmul_integer(
    node: NodeProto,  # noqa: ARG001 - it has no attributes
    inputs: Sequence[Array | None],
    arithmetic: Arithmetic,
    tally: Tally,
) -> Array:
    """``(..., rows, columns)`` int32: bare sums, whose output step is one."""
    a, b = needed(inputs, 0), needed(inputs, 1)
    sums = _batched(
        Bytes(a, zero_of(optional(inputs, 2), a)),
        Bytes(b, zero_of(optional(inputs, 3), b)),
        (arithmetic, _ONE, tally),
    )
    return sums.astype(np.int32)


def dynamic_quantize_matmul(
    node: NodeProto,  # noqa: ARG001 - it has no attributes
    inputs: Sequence[Array | None],
    arithmetic: Arithmetic,
    tally: Tally,
) -> Array:
    """``(..., rows, columns)`` float32: a product whose left side is quantized as it comes."""
    a, b, b_scale = (needed(inputs, index) for index in range(3))
    values, a_scale = as_it_comes(a)
    scale = factors(a_scale, b_scale, _ONE)
    sums = _batched(values, Bytes(b, zero_of(optional(inputs, 3), b)), (arithmetic, scale, tally))
    result = sums.astype(np.float32) * scale
    bias = optional(inputs, 4)
    return np.asarray(result if bias is None else result + bias)


def as_it_comes(values: Array) -> tuple[Bytes, NDArray[np.float32]]:
    """Unsigned bytes over the range of the very values, and their step, as the engine takes them.

    >>> found, step = as_it_comes(np.array([-1.0, 0.0, 4.1], dtype=np.float32))
    >>> found.values.tolist(), int(found.zero_point), round(float(step), 6)
    ([0, 50, 255], 50, 0.02)
    """
    lowest = np.float32(min(float(values.min()), 0.0))
    highest = np.float32(max(float(values.max()), 0.0))
    step = np.asarray((highest - lowest) / np.float32(_STEPS), dtype=np.float32)
    if step == 0:
        step = np.asarray(1.0, dtype=np.float32)
    zero = np.rint(np.clip(-lowest / step, 0, _STEPS))
    integers = np.clip(np.rint(values / step) + zero, 0, _STEPS).astype(np.uint8)
    return Bytes(integers, np.asarray(zero, dtype=np.uint8)), step


_ONE = np.array(1.0, dtype=np.float32)
_STEPS = 255


def _batched(
    left: Bytes, right: Bytes, how: tuple[Arithmetic, NDArray[np.float32], Tally]
) -> NDArray[np.int64]:
    arithmetic, steps, tally = how

    def product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.int64]:
        return zero_centred_sums(
            Bytes(a, left.zero_point),
            Bytes(b, right.zero_point),
            arithmetic,
            steps=steps,
            tally=tally,
        )

    a, b = left.values, right.values
    if b.ndim == _MATRIX_RANK:
        return product(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    results = [product(a[index], b[index]) for index in np.ndindex(batch)]
    return np.stack(results).reshape(*batch, a.shape[-2], b.shape[-1])
