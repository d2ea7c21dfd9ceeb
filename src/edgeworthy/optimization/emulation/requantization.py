"""From 32-bit sums back to bytes, bit for bit as ONNX Runtime does it.

Rules:

1. The sum becomes a float32, is multiplied by one float32 factor per channel, rounded half to
   even, moved by the zero point and clipped to the byte's range.
2. The factor is ``input scale * weight scale / output scale``, each operation rounded to float32,
   in this order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def factors(
    input_scale: NDArray[Any], weight_scale: NDArray[Any], output_scale: NDArray[Any]
) -> NDArray[np.float32]:
    """``(channels,)`` or ``(1,)``: output steps per unit of a sum.

    >>> factors(np.float32(0.5), np.float32([0.1, 0.2]), np.float32(0.25))
    array([0.2, 0.4], dtype=float32)
    """
    product = np.float32(input_scale) * np.atleast_1d(weight_scale).astype(np.float32)
    return np.asarray(product / np.float32(output_scale), dtype=np.float32)


def requantized(
    sums: NDArray[np.int64], factor: NDArray[np.float32], zero_point: NDArray[Any]
) -> NDArray[Any]:
    """Bytes of the zero point's type, the shape of ``sums``; channels are the last axis.

    >>> requantized(np.array([[3, 5, 900]]), np.float32([0.5]), np.uint8(10))
    array([[ 12,  12, 255]], dtype=uint8)
    """
    kind = np.iinfo(zero_point.dtype)
    offset = int(zero_point)
    real = sums.astype(np.float32)
    real *= factor
    np.clip(real, np.float32(kind.min - offset), np.float32(kind.max - offset), out=real)
    np.rint(real, out=real)
    real += np.float32(offset)
    return real.astype(zero_point.dtype)
