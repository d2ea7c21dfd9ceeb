"""Layers that stay in float keep their weights from the engine.

ONNX Runtime (seen in 1.21, 1.23, 1.24 and 1.32) rounds the float weights of a convolution or
``Gemm`` to 8 bits when it stands between a ``DequantizeLinear`` with one scale and a
``QuantizeLinear``, a ReLU or clip allowed before the latter: one scale for all channels, and no
word about it (``WeightBiasQuantization`` among its graph transformers). A layer that is in float
because it is sensitive loses the most by that.

So such a layer reads its input through a ``DequantizeLinear`` of its own with a scale per channel,
all of them the same. It computes the same numbers, and the engine leaves it alone.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, attribute, editable, fresh_name, is_standard

_LAYERS = ("Conv", "ConvTranspose", "Gemm")
_CHANNEL_AXIS = 1


class KeepFloatWeights(Pass):
    """Give each float layer between integers an input that the engine does not fuse."""

    name = "keep-float-weights"
    operators = _LAYERS
    keeps_outputs = False  # those of the engine change: that is what it is for

    def call(self, model: ModelProto) -> Rewrite:
        """Insert a node before each such layer."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names() | {node.name for node in result.graph.node}
        layers = [node for node in result.graph.node if _would_be_rounded(node, wiring)]
        for layer in layers:
            _read_by_channel(result.graph, layer, wiring, taken)
        if not layers:
            return unchanged(model, "no float layer stands between integers")
        return changed(result, f"{len(layers)} float layers keep their weights")


def _would_be_rounded(node: NodeProto, wiring: Wiring) -> bool:
    if not is_standard(node, *_LAYERS):
        return False
    weight = wiring.constant(node.input[1])
    if weight is None or weight.data_type != TensorProto.FLOAT:
        return False
    source = wiring.producers.get(node.input[0])
    if source is None or source.op_type != "DequantizeLinear" or not _has_one_scale(source, wiring):
        return False
    return _input_channels(node, weight) > 1 and _ends_in_integers(node, wiring)


def _has_one_scale(dequantize: NodeProto, wiring: Wiring) -> bool:
    scale = wiring.constant(dequantize.input[1])
    return scale is not None and numpy_helper.to_array(scale).size == 1


def _input_channels(node: NodeProto, weight: TensorProto) -> int:
    if node.op_type == "Conv":
        return int(weight.dims[1]) * int(attribute(node, "group", 1))
    if node.op_type == "Gemm" and attribute(node, "transA", 0):
        return 0  # its channels lie along the first axis; no exporter writes that
    return int(weight.dims[1 if attribute(node, "transB", 0) else 0])


def _ends_in_integers(node: NodeProto, wiring: Wiring) -> bool:
    while True:
        readers = wiring.consumers.get(node.output[0], ())
        if len(readers) != 1:
            return False
        (node,) = readers
        if node.op_type not in {"Clip", "Relu"}:
            return node.op_type == "QuantizeLinear"


def _read_by_channel(graph: GraphProto, layer: NodeProto, wiring: Wiring, taken: set[str]) -> None:
    source = wiring.producers[layer.input[0]]
    weight = wiring.initializers[layer.input[1]]
    channels = _input_channels(layer, weight)
    inputs = [source.input[0]]
    for name in source.input[1:]:
        value = numpy_helper.to_array(wiring.initializers[name]).reshape(-1)
        own = fresh_name(taken, f"{name}_by_channel_{layer.name}")
        graph.initializer.append(numpy_helper.from_array(np.repeat(value, channels), own))
        inputs.append(own)
    output = fresh_name(taken, f"{layer.input[0]}_by_channel")
    made = helper.make_node(
        "DequantizeLinear",
        inputs,
        [output],
        name=fresh_name(taken, f"{layer.name}_DequantizeLinear"),
        axis=_CHANNEL_AXIS,
    )
    layer.input[0] = output
    position = next(i for i, node in enumerate(graph.node) if node is layer or node == layer)
    graph.node.insert(position, made)
