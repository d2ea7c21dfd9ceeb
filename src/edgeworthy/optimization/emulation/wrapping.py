"""Which products Arm adds in 16 bits before they go into a 32-bit sum, and what wraps there.

Rules:

1. ``SMULL`` and ``SMLAL`` add two products of signed bytes in 16 bits. Every sum of two fits but
   one: twice -128 by -128 is 32,768, which becomes -32,768. Unsigned activations are made signed
   before (128 is taken off), so a byte of 0 counts as -128.
2. A matrix product takes its depth in blocks of sixteen and adds the first eight products to the
   other eight. With ``SDOT`` it adds in 32 bits.
3. A convolution is a matrix product over windows. Symmetric weights of at least 64 channels have a
   kernel of their own, which begins a new block at every kernel position; symmetric weights under
   signed activations otherwise have one that adds in 32 bits.
4. A depthwise convolution of symmetric weights, its channels a multiple of eight, adds neighboring
   kernel positions, on CPUs with ``SDOT`` as well. Nine positions, and channels a multiple of
   sixteen, are added two apart. All other depthwise convolutions add in 32 bits.

Found out on ONNX Runtime 1.32 in an emulated Cortex-A72 and Neoverse N1, with bytes of -128 and
their neighbors in some 600 graphs (``docs/benchmarks/processors.md``); the order of the products is
that of its kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Two places in the depth per row, ``(count, 2)``.
Pairs = NDArray[np.int64]

NO_PAIRS: Pairs = np.empty((0, 2), dtype=np.int64)
#: What a sum of two loses that wraps.
WRAP = 1 << 16
_LOWEST_WEIGHT = -128
_BLOCK, _HALF = 16, 8
_OWN_KERNEL_CHANNELS = 64
_APART: Pairs = np.array([(0, 2), (1, 3), (4, 6), (5, 7)], dtype=np.int64)


@dataclass(frozen=True)
class ConvolutionShape:
    """What decides which kernel the engine takes for a convolution.

    Attributes:
        group: Number of groups.
        inputs: Channels that go into a group.
        outputs: Channels that come out of a group.
        positions: Of the kernel.
        symmetric: Whether weights are signed and their zero points 0.
        signed: Whether activations are signed.
    """

    group: int
    inputs: int
    outputs: int
    positions: int
    symmetric: bool
    signed: bool


def matrix_pairs(depth: int) -> Pairs:
    """Of a matrix product.

    >>> matrix_pairs(18)[[0, -1]].tolist(), len(matrix_pairs(8))
    ([[0, 8], [7, 15]], 0)
    """
    first = np.arange(depth, dtype=np.int64)
    first = first[(first % _BLOCK < _HALF) & (first + _HALF < depth)]
    return np.stack([first, first + _HALF], axis=1)


def convolution_pairs(shape: ConvolutionShape) -> Pairs:
    """Of a convolution that is not depthwise, on a CPU without ``SDOT``.

    >>> convolution_pairs(ConvolutionShape(1, 72, 8, 2, True, True))[32].tolist()
    [72, 80]
    """
    if shape.symmetric and _has_own_kernel(shape):
        channels = matrix_pairs(shape.inputs - shape.inputs % _BLOCK)
        starts = np.arange(shape.positions, dtype=np.int64) * shape.inputs
        return (starts[:, np.newaxis, np.newaxis] + channels).reshape(-1, 2)
    if shape.symmetric and shape.signed:
        return NO_PAIRS
    return matrix_pairs(shape.inputs * shape.positions)


def _has_own_kernel(shape: ConvolutionShape) -> bool:
    return (
        shape.group == 1
        and shape.positions > 1
        and shape.inputs >= _OWN_KERNEL_CHANNELS
        and shape.inputs % _HALF == shape.outputs % _HALF == 0
    )


def depthwise_pairs(shape: ConvolutionShape) -> Pairs:
    """Of a depthwise convolution; places are kernel positions.

    >>> depthwise_pairs(ConvolutionShape(8, 1, 1, 3, True, True)).tolist()
    [[0, 1]]
    """
    if not shape.symmetric or shape.group % _HALF:
        return NO_PAIRS
    if shape.positions == len(_APART) * 2 + 1 and shape.group % _BLOCK == 0:
        return _APART
    first = np.arange(0, shape.positions - 1, 2, dtype=np.int64)
    return np.stack([first, first + 1], axis=1)


def wraps(activations: NDArray[Any], weights: NDArray[Any], pairs: Pairs) -> NDArray[np.float64]:
    """How many sums of two wrap.

    Args:
        activations: ``(rows, depth)``, as the engine stores them.
        weights: ``(depth, columns)``, likewise.
        pairs: Places in the depth that are added in 16 bits.

    Returns:
        ``(rows, columns)``; whole numbers.

    >>> wraps(np.zeros((1, 9), np.uint8), np.full((9, 1), -128, np.int8), matrix_pairs(9)).tolist()
    [[1.0]]
    """
    low = weights == _LOWEST_WEIGHT
    both = low[pairs[:, 0]] & low[pairs[:, 1]]
    critical = np.flatnonzero(both.any(axis=1))
    if weights.dtype != np.int8 or not len(critical):
        return np.zeros((len(activations), weights.shape[1]))
    first, second = pairs[critical].T
    lowest = activations == np.iinfo(activations.dtype).min
    seen = lowest[:, first] & lowest[:, second]
    return np.asarray(seen.astype(np.float64) @ both[critical].astype(np.float64))
