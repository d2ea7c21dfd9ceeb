"""``QLinearConv``: a convolution of bytes.

Rules:

1. Each group is a matrix product over windows, in the order of :mod:`windows`.
2. A depthwise convolution (one channel in, one out, per group) widens bytes before it multiplies:
   it saturates nowhere.
3. The bias is added in 32 bits before rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from edgeworthy.optimization.emulation.windows import Geometry, windows

_MOST_WINDOW_BYTES = 1 << 25


def qlinear_conv(
    node: NodeProto, inputs: Sequence[Array | None], arithmetic: Arithmetic, tally: Tally
) -> Array:
    """``(n, channels, *places)``, see the ONNX specification of ``QLinearConv``."""
    x, x_scale, _, w, w_scale, _, y_scale, y_zero = (needed(inputs, index) for index in range(8))
    picture = Bytes(x, zero_of(inputs[2], x))
    weights = Bytes(w, zero_of(inputs[5], w))
    bias = optional(inputs, 8)
    geometry = Geometry.of(node, w.shape[2:], x.shape[2:])
    factor = factors(x_scale, w_scale, y_scale)
    parts = []
    for rows in _portions(x, geometry):
        sums = _sums(
            Bytes(x[rows], picture.zero_point), weights, geometry, (arithmetic, factor, tally)
        )
        if bias is not None:
            sums = sums + bias.astype(np.int64)
        parts.append(np.moveaxis(requantized(sums, factor, zero_of(y_zero, y_zero)), -1, 1))
    return np.ascontiguousarray(np.concatenate(parts))


def _portions(x: Array, geometry: Geometry) -> Iterator[slice]:
    """Samples at a time, so that their windows fit the memory that we allow ourselves."""
    places = np.prod([-(-s // t) for s, t in zip(x.shape[2:], geometry.strides, strict=True)])
    window_bytes = int(places) * x.shape[1] * int(np.prod(geometry.kernel))
    step = max(1, _MOST_WINDOW_BYTES // max(1, window_bytes))
    return (slice(first, first + step) for first in range(0, len(x), step))


def _sums(
    picture: Bytes,
    weights: Bytes,
    geometry: Geometry,
    how: tuple[Arithmetic, NDArray[np.float32], Tally],
) -> NDArray[np.int64]:
    """``(n, *places, channels)``."""
    last = Bytes(np.moveaxis(picture.values, 1, -1), picture.zero_point)
    _, _, tally = how
    outputs, per_group = weights.values.shape[:2]
    if per_group == 1 and outputs == geometry.group > 1:
        return _depthwise(last, weights, geometry, tally)
    view = windows(last.values, geometry, fill=int(last.zero_point))
    rank = len(geometry.kernel)
    places = view.shape[: 1 + rank]
    size = outputs // geometry.group
    parts = []
    for group in range(geometry.group):
        seen = view[..., group * per_group : (group + 1) * per_group]
        chosen = slice(group * size, (group + 1) * size)
        parts.append(_dense(seen, _part(weights, chosen), last.zero_point, how, chosen))
    return np.concatenate(parts, axis=1).reshape(*places, outputs)


def _part(weights: Bytes, chosen: slice) -> Bytes:
    zero = weights.zero_point
    return Bytes(weights.values[chosen], zero[chosen] if zero.ndim else zero)


def _dense(
    seen: Array,
    weights: Bytes,
    zero_point: Array,
    how: tuple[Arithmetic, NDArray[np.float32], Tally],
    chosen: slice,
) -> NDArray[np.int64]:
    arithmetic, factor, tally = how
    outputs = len(weights.values)
    columns = np.moveaxis(weights.values, 1, -1).reshape(outputs, -1).T
    steps = factor[chosen] if factor.size > 1 else factor
    return zero_centred_sums(
        Bytes(seen.reshape(-1, len(columns)), zero_point),
        Bytes(columns, weights.zero_point),
        arithmetic,
        steps=steps,
        tally=tally,
    )


def _depthwise(
    picture: Bytes, weights: Bytes, geometry: Geometry, tally: Tally
) -> NDArray[np.int64]:
    """One kernel position after the other: exact in float32, a kernel is that small."""
    view = windows(picture.values, geometry, fill=int(picture.zero_point))
    rank = len(geometry.kernel)
    zero = weights.zero_point.astype(np.float32).reshape(-1, *[1] * (rank + 1))
    kernel = (weights.values.astype(np.float32) - zero)[:, 0]
    sums = np.zeros((*view.shape[: 1 + rank], len(kernel)), dtype=np.float32)
    for position in np.ndindex(geometry.kernel):
        seen = view[(..., *position, slice(None))].astype(np.float32)
        seen -= np.float32(int(picture.zero_point))
        seen *= kernel[(slice(None), *position)]
        sums += seen
    tally.sum_count += sums.size
    return sums.astype(np.int64)
