"""Scales of weights with which no CPU's sums of byte products can saturate.

x86 without VNNI multiplies bytes with ``VPMADDUBSW``: two products of an unsigned activation and a
signed weight are added in 16 bits, with saturation. The usual remedy is 7-bit weights, since
255 x 64 x 2 fits. But only the *sum* of two weights must stay within 128, and in most channels the
second largest weight is well below the largest.

Rules:

1. In each output channel the two largest weights of equal sign add up to at most 128 in integers,
   after rounding, so 255 times any such pair fits 16 bits. This holds in whatever order the engine
   pairs the weights, for any activation; nothing is left to statistics.
2. Where the engine's order is known, only neighbors need to fit: weights at the same place of the
   kernel, of channels 0 and 1, 2 and 3, and so on. It is the order that the emulation of the engine
   holds bit for bit against a real CPU, and large weights are seldom neighbors.
3. Within that, the scale is as fine as it can be, and never finer than 8 bits allow.
4. A channel of zeros has the scale 1.
5. Where a kernel does not saturate (a depthwise convolution's), all eight bits are spent.

Source: ``VPMADDUBSW`` in Intel's Software Developer's Manual, volume 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Largest integer weight.
_LARGEST = 127.0
#: Two weights may add up to this before rounding; each rounds up by half at most.
_LARGEST_PAIR = 127.0


def pair_safe_scales(weight: NDArray[np.floating[Any]], *, axis: int) -> NDArray[np.float32]:
    """One scale per output channel.

    Args:
        weight: Float weights of any shape.
        axis: The axis of the output channels.

    Returns:
        Shape ``(channels,)``.

    >>> pair_safe_scales(np.array([[1.27, -0.2, 0.0]], dtype=np.float32), axis=0)
    array([0.01], dtype=float32)
    >>> pair_safe_scales(np.array([[1.27, 1.27, 0.0]], dtype=np.float32), axis=0)
    array([0.02], dtype=float32)
    """
    channels = _channels(weight, axis)
    pair = np.maximum(_two_largest(channels), _two_largest(-channels))
    return np.asarray(np.maximum(full_scales(weight, axis=axis), _stored(pair / _LARGEST_PAIR)))


def neighbor_safe_scales(
    weight: NDArray[np.floating[Any]], *, axis: int, products: bool = False
) -> NDArray[np.float32]:
    """One scale per output channel, for an engine that multiplies neighbors in one step.

    Args:
        weight: Float weights of any shape.
        axis: The axis of the output channels.
        products: Whether the weights are those of a matrix product instead of a convolution.

    Returns:
        Shape ``(channels,)``.

    >>> apart, beside = np.float32([[[1.27, 0, 1.27, 0]], [[1.27, 1.27, 0, 0]]])
    >>> neighbor_safe_scales(apart, axis=0, products=True)
    array([0.01], dtype=float32)
    >>> neighbor_safe_scales(beside, axis=0, products=True)
    array([0.02], dtype=float32)
    """
    rows = np.moveaxis(weight, axis, 0)
    if not products:  # channels stand beside each other, kernel positions one after the other
        rows = np.moveaxis(rows, 1, -1)
    channels = rows.reshape(len(rows), -1).astype(np.float64)
    pair = np.abs(neighbor_sums(channels)).max(axis=1, initial=0.0)
    return np.asarray(np.maximum(full_scales(weight, axis=axis), _stored(pair / _LARGEST_PAIR)))


def neighbor_sums(rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Sums of each two numbers that stand beside each other; the last of an odd row is alone.

    >>> neighbor_sums(np.array([[1.0, 2.0, 4.0]])).tolist()
    [[3.0, 4.0]]
    """
    if rows.shape[-1] % 2:
        rows = np.concatenate([rows, np.zeros_like(rows[..., :1])], axis=-1)
    return np.asarray(rows[..., 0::2] + rows[..., 1::2])


def full_scales(weight: NDArray[np.floating[Any]], *, axis: int) -> NDArray[np.float32]:
    """One scale per output channel, for kernels that cannot saturate.

    Args:
        weight: Float weights of any shape.
        axis: The axis of the output channels.

    Returns:
        Shape ``(channels,)``.

    >>> full_scales(np.array([[1.27, 1.27, 0.0]], dtype=np.float32), axis=0)
    array([0.01], dtype=float32)
    """
    scales = _stored(np.abs(_channels(weight, axis)).max(axis=1, initial=0.0) / _LARGEST)
    return np.where(scales < np.finfo(np.float32).tiny, np.float32(1.0), scales)


def _channels(weight: NDArray[np.floating[Any]], axis: int) -> NDArray[np.float64]:
    return np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1).astype(np.float64)


def _stored(scales: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(scales, dtype=np.float32)


def _two_largest(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the two largest positive values of each row."""
    positive = np.maximum(channels, 0.0)
    count = min(2, positive.shape[1])
    top = np.partition(positive, positive.shape[1] - count, axis=1)[:, -count:]
    return np.asarray(top.sum(axis=1))
