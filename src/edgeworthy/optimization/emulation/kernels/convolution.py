"""``QLinearConv``: a convolution of bytes.

Rules:

1. Each group is a matrix product over windows, in the order of :mod:`windows`.
2. A depthwise convolution (one channel in, one out, per group) saturates nowhere: x86 widens bytes
   before it multiplies. On Arm it may wrap.
3. The bias is added in 32 bits before rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

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
from edgeworthy.optimization.emulation.products import Tally, note_wraps
from edgeworthy.optimization.emulation.requantization import factors, requantized
from edgeworthy.optimization.emulation.windows import Geometry, windows
from edgeworthy.optimization.emulation.wrapping import (
    WRAP,
    ConvolutionShape,
    Pairs,
    convolution_pairs,
    depthwise_pairs,
)

_MOST_WINDOW_BYTES = 1 << 25
#: Arithmetic of the class of CPU, output steps per unit of a sum, and what is added to.
How: TypeAlias = tuple[Arithmetic, NDArray[np.float32], Tally]


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
    how: How,
) -> NDArray[np.int64]:
    """``(n, *places, channels)``."""
    last = Bytes(np.moveaxis(picture.values, 1, -1), picture.zero_point)
    outputs, per_group = weights.values.shape[:2]
    if per_group == 1 and outputs == geometry.group > 1:
        return _depthwise(last, weights, geometry, how)
    view = windows(last.values, geometry, fill=int(last.zero_point))
    rank = len(geometry.kernel)
    places = view.shape[: 1 + rank]
    size = outputs // geometry.group
    pairs = convolution_pairs(_shape(picture, weights, geometry))
    parts = []
    for group in range(geometry.group):
        seen = view[..., group * per_group : (group + 1) * per_group]
        chosen = slice(group * size, (group + 1) * size)
        group_how = (how[0], how[1][chosen] if how[1].size > 1 else how[1], how[2])
        seen_bytes = Bytes(seen, last.zero_point)
        parts.append(_dense(seen_bytes, _part(weights, chosen), group_how, pairs))
    return np.concatenate(parts, axis=1).reshape(*places, outputs)


def _part(weights: Bytes, chosen: slice) -> Bytes:
    zero = weights.zero_point
    return Bytes(weights.values[chosen], zero[chosen] if zero.ndim else zero)


def _shape(picture: Bytes, weights: Bytes, geometry: Geometry) -> ConvolutionShape:
    outputs, inputs = weights.values.shape[:2]
    return ConvolutionShape(
        group=geometry.group,
        inputs=inputs,
        outputs=outputs // geometry.group,
        positions=math.prod(geometry.kernel),
        symmetric=weights.values.dtype == np.int8 and not weights.zero_point.any(),
        signed=picture.values.dtype == np.int8,
    )


def _dense(seen: Bytes, weights: Bytes, how: How, pairs: Pairs) -> NDArray[np.int64]:
    arithmetic, steps, tally = how
    outputs = len(weights.values)
    columns = np.moveaxis(weights.values, 1, -1).reshape(outputs, -1).T
    return zero_centred_sums(
        Bytes(seen.values.reshape(-1, len(columns)), seen.zero_point),
        Bytes(columns, weights.zero_point),
        arithmetic,
        steps=steps,
        tally=tally,
        pairs=pairs,
    )


def _depthwise(picture: Bytes, weights: Bytes, geometry: Geometry, how: How) -> NDArray[np.int64]:
    """One kernel position after the other: exact in float32, a kernel is that small."""
    arithmetic, factor, tally = how
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
    whole = sums.astype(np.int64)
    if arithmetic.wraps_depthwise:
        counts = _depthwise_wraps(
            view, weights, depthwise_pairs(_shape(picture, weights, geometry))
        )
        note_wraps(counts.reshape(-1, len(kernel)), factor, tally)
        whole -= counts.astype(np.int64) * WRAP
    return whole


def _depthwise_wraps(view: Array, weights: Bytes, pairs: Pairs) -> NDArray[np.float64]:
    """How many sums of two wrap, ``(n, *places, channels)``."""
    channels = len(weights.values)
    low = weights.values.reshape(channels, -1) == np.iinfo(np.int8).min
    places = view.shape[: view.ndim // 2]
    counts = np.zeros((*places, channels))
    lowest = np.iinfo(view.dtype).min
    extents = view.shape[len(places) : -1]
    for first, second in pairs:
        critical = np.flatnonzero(low[:, first] & low[:, second])
        if len(critical):
            one, other = (
                view[(..., *np.unravel_index(place, extents), critical)] == lowest
                for place in (first, second)
            )
            counts[..., critical] += one & other
    return counts
