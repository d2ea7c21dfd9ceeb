"""Nodes with weights as groups of matrix products, and the windows that they look at.

Rules:

1. At most 128 windows per sample and layer are looked at, evenly spread, at most 32 of wide layers
   and of those in groups, and at most 8 of depthwise ones: more say little new and cost time.
2. A layer with windows of more than 2,048 numbers is left out: its root would take too long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.optimization.emulation.windows import Geometry
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.wiring import Wiring, attribute

_WINDOWS_PER_SAMPLE = 128
_WIDE_WINDOWS_PER_SAMPLE = 32
_DEPTHWISE_WINDOWS_PER_SAMPLE = 8
_WIDE = 512
_LARGEST_DEPTH = 2048


@dataclass(frozen=True)
class Look:
    """Where a convolution looks at a picture.

    Attributes:
        places: Of all windows one after the other, in the flattened picture.
        inside: ``(windows, positions)``: whether that is a place of the picture and no padding.
    """

    places: NDArray[np.int64]
    inside: NDArray[np.bool_]


@dataclass(frozen=True)
class Layer:
    """A node with weights, seen as groups of matrix products.

    Attributes:
        node: The node.
        tensor: Its float weights.
        groups: Number of groups.
        looks: Those that were asked for, by the size of the picture.
    """

    node: NodeProto
    tensor: TensorProto
    groups: int
    looks: dict[tuple[int, ...], Look] = field(default_factory=dict, compare=False, repr=False)

    @property
    def weight(self) -> NDArray[np.float32]:
        """The float weights as stored."""
        return np.asarray(numpy_helper.to_array(self.tensor))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weights."""
        return tuple(self.tensor.dims)

    @property
    def has_bias(self) -> bool:
        """Whether the operator has room for a bias."""
        return self.node.op_type in {"Conv", "Gemm"}

    @property
    def depth(self) -> int:
        """Numbers that one output number is made of."""
        return math.prod(self.shape) // self._channels()

    def matrices(self) -> NDArray[np.float64]:
        """``(groups, channels, depth)``; depth runs over kernel positions, then channels."""
        wide = self.weight.astype(np.float64)
        if self.node.op_type == "Conv":
            rows = np.moveaxis(wide, 1, -1).reshape(len(wide), -1)
        else:
            rows = wide if self._is_transposed() else wide.T
        return rows.reshape(self.groups, len(rows) // self.groups, -1)

    def stored(self, matrices: NDArray[Any]) -> NDArray[np.float32]:
        """The way back: weights as the node stores them."""
        rows = matrices.reshape(-1, matrices.shape[2])
        if self.node.op_type == "Conv":
            shape = (len(rows), *self.shape[2:], self.shape[1])
            rows = np.moveaxis(rows.reshape(shape), -1, 1)
        elif not self._is_transposed():
            rows = rows.T
        return np.ascontiguousarray(rows, dtype=np.float32)

    def windows(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """``(groups, windows, depth)`` of a batch of the layer's inputs."""
        if self.node.op_type != "Conv":
            rows = values.reshape(len(values), -1, values.shape[-1])
            chosen = rows[:, self._spread(rows.shape[1])]
            return np.asarray(chosen.reshape(1, -1, values.shape[-1]))
        look = self.look(values.shape[2:])
        seen = values.reshape(*values.shape[:2], -1)[:, :, look.places]
        split = seen.reshape(len(seen), self.groups, self.shape[1], *look.inside.shape)
        # (groups, n, places, positions, channels): for depthwise layers, runs stay in one piece.
        rows = np.ascontiguousarray(split.transpose(1, 0, 3, 4, 2))
        if not look.inside.all():
            rows[:, :, ~look.inside] = 0
        return rows.reshape(self.groups, len(seen) * len(look.inside), -1)

    def look(self, picture: tuple[int, ...]) -> Look:
        """Where a convolution's windows lie in a picture of this size."""
        if picture not in self.looks:
            self.looks[picture] = self._look(picture)
        return self.looks[picture]

    def _look(self, picture: tuple[int, ...]) -> Look:
        geometry = Geometry.of(self.node, self.shape[2:], picture)
        extent = geometry.places(picture)
        places = np.unravel_index(self._spread(int(np.prod(extent))), extent)
        positions = np.unravel_index(np.arange(np.prod(geometry.kernel)), geometry.kernel)
        inside = np.ones((len(places[0]), len(positions[0])), dtype=bool)
        flat = np.zeros(inside.shape, dtype=np.int64)
        for axis, size in enumerate(picture):
            where = places[axis][:, None] * geometry.strides[axis] - geometry.before[axis]
            where = where + positions[axis] * geometry.dilations[axis]
            inside &= (where >= 0) & (where < size)
            flat = flat * size + np.clip(where, 0, size - 1)
        return Look(flat.reshape(-1), inside)

    def _spread(self, count: int) -> NDArray[np.int64]:
        """Evenly spread positions, at most as many as are looked at."""
        wide = self.groups * self.depth > _WIDE or self.groups > 1
        most = _WIDE_WINDOWS_PER_SAMPLE if wide else _WINDOWS_PER_SAMPLE
        if self.groups > 1 and self.shape[1] == 1:
            most = _DEPTHWISE_WINDOWS_PER_SAMPLE
        chosen = min(count, most)
        return (np.arange(chosen) * count + count // 2) // chosen

    def _channels(self) -> int:
        first = self.node.op_type == "Conv" or self._is_transposed()
        return int(self.shape[0 if first else 1])

    def _is_transposed(self) -> bool:
        return self.node.op_type == "Gemm" and bool(attribute(self.node, "transB", 0))


def layers_of(model: ModelProto, plan: QuantizationPlan) -> list[Layer]:
    """Quantized nodes with weights, but for those of rule 2."""
    wiring = Wiring(model.graph)
    layers = [
        Layer(
            node,
            wiring.initializers[node.input[1]],
            attribute(node, "group", 1) if node.op_type == "Conv" else 1,
        )
        for node in model.graph.node
        if node.name in plan.nodes and node.op_type in WEIGHTED
    ]
    return [layer for layer in layers if layer.depth <= _LARGEST_DEPTH]
