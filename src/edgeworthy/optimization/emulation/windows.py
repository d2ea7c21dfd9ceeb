"""The windows that a convolution looks at, as rows of a matrix.

Rules:

1. The depth of a row runs over kernel positions, then over channels: the order in which ONNX
   Runtime adds up, which decides what is a pair.
2. Outside the picture stands the zero point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgeworthy.errors import InferenceError
from edgeworthy.optimization.wiring import attribute


@dataclass(frozen=True)
class Geometry:
    """How a kernel moves.

    Attributes:
        kernel: Extent per spatial axis.
        strides: Step per spatial axis.
        dilations: Distance of kernel positions per spatial axis.
        before: Padding before each spatial axis.
        after: Padding after it.
        group: Number of groups.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    group: int

    @classmethod
    def of(cls, node: NodeProto, kernel: Sequence[int], picture: Sequence[int]) -> Self:
        """Read the attributes of a convolution.

        Args:
            node: A convolution.
            kernel: Spatial extent of its weights.
            picture: Spatial extent of its input.
        """
        rank = len(kernel)
        strides = tuple(attribute(node, "strides", [1] * rank))
        dilations = tuple(attribute(node, "dilations", [1] * rank))
        pads = list(attribute(node, "pads", [0] * 2 * rank))
        mode = attribute(node, "auto_pad", b"NOTSET").decode()
        if mode in {"SAME_UPPER", "SAME_LOWER"}:
            pads = _same_pads(mode, picture, (kernel, strides, dilations))
        elif mode not in {"NOTSET", "VALID"}:
            raise InferenceError(f"unknown padding `{mode}`", where=node.name)
        return cls(
            kernel=tuple(kernel),
            strides=strides,
            dilations=dilations,
            before=tuple(pads[:rank]),
            after=tuple(pads[rank:]),
            group=attribute(node, "group", 1),
        )

    def places(self, picture: Sequence[int]) -> tuple[int, ...]:
        """How many places the kernel stands at, per spatial axis.

        >>> Geometry((3,), (2,), (1,), (1,), (1,), 1).places([9])
        (5,)
        """
        return tuple(
            (size + before + after - (kernel - 1) * dilation - 1) // stride + 1
            for size, before, after, kernel, dilation, stride in zip(
                picture,
                self.before,
                self.after,
                self.kernel,
                self.dilations,
                self.strides,
                strict=True,
            )
        )


def _same_pads(mode: str, picture: Sequence[int], moves: Sequence[Sequence[int]]) -> list[int]:
    smaller, larger = [], []
    for size, kernel, stride, dilation in zip(picture, *moves, strict=True):
        reach = (kernel - 1) * dilation + 1
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        smaller.append(total // 2)
        larger.append(total - total // 2)
    return smaller + larger if mode == "SAME_UPPER" else larger + smaller


def windows(picture: NDArray[Any], geometry: Geometry, *, fill: int) -> NDArray[Any]:
    """What the kernel sees at each place.

    Args:
        picture: ``(n, *spatial, channels)``.
        geometry: How the kernel moves.
        fill: What stands outside the picture.

    Returns:
        A view ``(n, *places, *kernel, channels)``.
    """
    margins = [(0, 0), *zip(geometry.before, geometry.after, strict=True), (0, 0)]
    padded = np.pad(picture, margins, constant_values=fill)
    axes = tuple(range(1, picture.ndim - 1))
    reach = [
        (size - 1) * dilation + 1
        for size, dilation in zip(geometry.kernel, geometry.dilations, strict=True)
    ]
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=axes)
    strided = (
        slice(None),
        *(slice(None, None, stride) for stride in geometry.strides),
        slice(None),
        *(slice(None, None, dilation) for dilation in geometry.dilations),
    )
    return np.moveaxis(view[strided], len(axes) + 1, -1)
