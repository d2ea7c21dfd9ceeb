"""Weights stored in bytes; arithmetic stays in float32.

The engine multiplies them out once, when it loads the file: a file of a quarter of the size that
computes as fast as before, with no activation rounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.passes.store_float16 import is_storable, prepend
from edgeworthy.optimization.quantization.weight_scales import full_scales
from edgeworthy.optimization.wiring import Wiring, attribute, editable, fresh_name, is_standard

_MATRIX_RANK = 2


class StoreInt8Weights(Pass):
    """Store weights of convolutions, products and look-up tables as int8, a scale per channel.

    Args:
        float_nodes: Names of nodes whose weights stay as they are.
    """

    name = "store-int8-weights"
    keeps_outputs = False

    def __init__(self, float_nodes: tuple[str, ...] = ()) -> None:
        self._float_nodes = frozenset(float_nodes)

    def call(self, model: ModelProto) -> Rewrite:
        """Put the products with the scales before everything else."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names()
        axes = {tensor.name: self._axis(tensor, wiring) for tensor in result.graph.initializer}
        nodes: list[NodeProto] = []
        for tensor in list(result.graph.initializer):
            axis = axes[tensor.name]
            if axis is not None:
                nodes.extend(_stored(result, tensor, axis, taken))
        if not nodes:
            return unchanged(model, "no larger float32 weights")
        prepend(result, nodes)
        return changed(result, f"stored {len(nodes) // 2} weights as int8")

    def _axis(self, tensor: TensorProto, wiring: Wiring) -> int | None:
        """The axis of the channels; None for what is no weight, or not one kind of weight."""
        if len(tensor.dims) < _MATRIX_RANK or not is_storable(tensor, wiring):
            return None
        readers = wiring.consumers.get(tensor.name, [])
        if tensor.name in wiring.captured or any(r.name in self._float_nodes for r in readers):
            return None
        axes = {_channel_axis(reader, tensor) for reader in readers}
        return axes.pop() if len(axes) == 1 else None


def _channel_axis(reader: NodeProto, tensor: TensorProto) -> int | None:
    if is_standard(reader, "Gather") and reader.input[0] == tensor.name:
        return 0  # a row of a table is looked up as one
    if len(reader.input) < _MATRIX_RANK or reader.input[1] != tensor.name:
        return None
    if is_standard(reader, "Conv"):
        return 0
    if is_standard(reader, "Gemm"):
        return 0 if attribute(reader, "transB", 0) else 1
    if is_standard(reader, "MatMul"):
        return len(tensor.dims) - 1
    return None


def _stored(
    model: ModelProto, tensor: TensorProto, axis: int, taken: set[str]
) -> Iterator[NodeProto]:
    name, values = tensor.name, numpy_helper.to_array(tensor)
    shape = [1] * values.ndim
    shape[axis] = -1
    scales = full_scales(values, axis=axis).reshape(shape)
    integers = np.clip(np.rint(values / scales), -127, 127).astype(np.int8)
    stored, wide, steps = (
        fresh_name(taken, f"{name}.{part}") for part in ("int8", "wide", "scale")
    )
    tensor.CopyFrom(numpy_helper.from_array(integers, stored))
    model.graph.initializer.append(numpy_helper.from_array(scales, steps))
    yield helper.make_node("Cast", [stored], [wide], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [wide, steps], [name])
