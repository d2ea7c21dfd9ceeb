"""Matrix products in integers whose activations are quantized as they come.

Rules:

1. Only products with constant weights change: there are the bytes. Convolutions stay in float, for
   the engine's integer convolution without fixed scales is slower than its float one.
2. The range of an activation is that of the very input: nothing is calibrated or cut off.
3. Weights keep the promise of the recipe: in a reduced range no sum of two products saturates.
   That matters here too: activations are unsigned bytes.
4. The nodes stand as ONNX Runtime fuses them: one integer product with its scales and bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.optimization.quantization.plan import channel_axis
from edgeworthy.optimization.wiring import Wiring, attribute, editable, fresh_name

_BIAS_INPUT = 2


def quantize_dynamically(
    model: ModelProto, nodes: Sequence[str], scales: Mapping[str, NDArray[np.float32]]
) -> ModelProto:
    """Replace products by integer ones.

    Args:
        model: A float graph of opset 13 or newer; each weight has one reader.
        nodes: Names of the ``MatMul`` and ``Gemm`` nodes to replace.
        scales: Per weight, one scale per output channel.
    """
    result = editable(model)
    builder = _Builder(result, scales)
    chosen = set(nodes)
    rewritten: list[NodeProto] = []
    for node in model.graph.node:
        rewritten.extend(builder.replaced(node) if node.name in chosen else [node])
    del result.graph.node[:]
    result.graph.node.extend(rewritten)
    return result


class _Builder:
    def __init__(self, model: ModelProto, scales: Mapping[str, NDArray[np.float32]]) -> None:
        self._graph = model.graph
        self._wiring = Wiring(model.graph)
        self._taken = self._wiring.names()
        self._scales = scales
        self._quantized: dict[str, tuple[str, str, str]] = {}

    def replaced(self, node: NodeProto) -> list[NodeProto]:
        """The nodes that take this one's place."""
        nodes: list[NodeProto] = []
        source = node.input[0]
        if source not in self._quantized:
            parts = self._fresh(source, "bytes", "step", "zero")
            self._quantized[source] = (parts[0], parts[1], parts[2])
            nodes.append(helper.make_node("DynamicQuantizeLinear", [source], parts))
        values, step, zero = self._quantized[source]
        weight, scale = self._weight(node)
        sums, real, factor = self._fresh(node.name, "sums", "real", "factor")
        bias = node.input[_BIAS_INPUT] if len(node.input) > _BIAS_INPUT else ""
        scaled = self._fresh(node.name, "scaled")[0] if bias else node.output[0]
        nodes += [
            helper.make_node("MatMulInteger", [values, weight, zero], [sums], name=node.name),
            helper.make_node("Cast", [sums], [real], to=TensorProto.FLOAT),
            helper.make_node("Mul", [step, scale], [factor]),
            helper.make_node("Mul", [real, factor], [scaled]),
        ]
        if bias:
            nodes.append(helper.make_node("Add", [scaled, bias], [node.output[0]]))
        return nodes

    def _weight(self, node: NodeProto) -> tuple[str, str]:
        """Names of the bytes, ``(depth, channels)``, and of their scales."""
        name = node.input[1]
        scales = self._scales[name]
        values = numpy_helper.to_array(self._wiring.initializers[name])
        if node.op_type == "Gemm" and attribute(node, "transB", 0):
            values = values.T
        stored, steps = self._fresh(name, "int8", "scale")
        self._graph.initializer.extend(
            [
                numpy_helper.from_array(as_bytes(values, scales), stored),
                numpy_helper.from_array(scales, steps),
            ]
        )
        return stored, steps

    def _fresh(self, name: str, *parts: str) -> list[str]:
        return [fresh_name(self._taken, f"{name}.{part}") for part in parts]


def as_bytes(values: NDArray[Any], scales: NDArray[np.float32]) -> NDArray[np.int8]:
    """The nearest steps; channels are the last axis."""
    return np.ascontiguousarray(np.clip(np.rint(values / scales), -127, 127), dtype=np.int8)


def dynamic_nodes(model: ModelProto, nodes: Sequence[str]) -> tuple[str, ...]:
    """Those of the nodes that are products whose weights have their channels where we need them."""
    chosen = set(nodes)
    return tuple(
        node.name
        for node in model.graph.node
        if node.name in chosen and node.op_type in {"Gemm", "MatMul"} and channel_axis(node) >= 0
    )
