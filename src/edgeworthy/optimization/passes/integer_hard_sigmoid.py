"""A hard sigmoid between integers is an addition.

``clip(alpha * x + beta, 0, 1)`` is ``x + beta / alpha`` in other steps, and a quantized range from
0 to 1 cuts off by itself. ONNX Runtime has an integer kernel for additions, and none for the curve.
So the constant is added in integers, and the node behind it, which rounds, takes steps ``alpha``
times as wide as those of the reader: what was added up in the one comes out scaled in the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    fresh_name,
    is_standard,
)

_SLOPE, _MIDDLE = 0.2, 0.5
_ROUNDING = 1e-6


class IntegerHardSigmoid(Pass):
    """Replace each ``HardSigmoid`` between Q/DQ nodes by an ``Add``."""

    name = "integer-hard-sigmoid"
    operators = ("HardSigmoid",)
    keeps_outputs = False  # a number between two steps may be rounded the other way

    def call(self, model: ModelProto) -> Rewrite:
        """Replace them."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names() | {node.name for node in result.graph.node}
        curves = [
            node
            for node in result.graph.node
            if is_standard(node, "HardSigmoid") and _is_cut_off_by_its_range(node, wiring)
        ]
        for node in curves:
            _become_addition(result, node, wiring, taken)
        if not curves:
            return unchanged(model, "no HardSigmoid stands between integers")
        return changed(result, f"{len(curves)} HardSigmoid nodes are additions")


def _is_cut_off_by_its_range(node: NodeProto, wiring: Wiring) -> bool:
    """Whether the smallest integer behind it stands for 0 and the largest for 1 at most."""
    source = wiring.producers.get(node.input[0])
    if source is None or source.op_type != "DequantizeLinear":
        return False
    if attribute(node, "alpha", _SLOPE) <= 0.0 or not wiring.has_one_consumer(node.output[0]):
        return False
    (reader,) = wiring.consumers[node.output[0]]
    if reader.op_type != "QuantizeLinear" or len(reader.input) < len(("x", "scale", "zero")):
        return False
    scale, zero = (wiring.constant(name) for name in reader.input[1:3])
    if scale is None or zero is None or numpy_helper.to_array(zero).size != 1:
        return False
    step, offset = (float(numpy_helper.to_array(each).reshape(-1)[0]) for each in (scale, zero))
    kind = np.iinfo(numpy_helper.to_array(zero).dtype)
    return offset == kind.min and step * (kind.max - kind.min) <= 1.0 + _ROUNDING


def _become_addition(model: ModelProto, node: NodeProto, wiring: Wiring, taken: set[str]) -> None:
    alpha, beta = attribute(node, "alpha", _SLOPE), attribute(node, "beta", _MIDDLE)
    (reader,) = wiring.consumers[node.output[0]]
    scale, zero = (wiring.initializers[name] for name in reader.input[1:3])
    wide = numpy_helper.to_array(scale) / np.float32(alpha)
    reader.input[1] = _stored(model, np.asarray(wide, np.float32), f"{scale.name}_wide", taken)
    added = f"{node.output[0]}_added"
    parts = [
        _stored(model, values, f"{added}_{part}", taken)
        for part, values in zip(
            ("quantized", "scale", "zero_point"), _number(beta / alpha, zero), strict=True
        )
    ]
    constant = fresh_name(taken, added)
    dequantize = helper.make_node(
        "DequantizeLinear", parts, [constant], name=fresh_name(taken, f"{added}_DequantizeLinear")
    )
    index = next(i for i, each in enumerate(model.graph.node) if each is node or each == node)
    made = helper.make_node("Add", [node.input[0], constant], [node.output[0]], name=node.name)
    node.CopyFrom(made)
    model.graph.node.insert(index, dequantize)


def _number(value: float, like: TensorProto) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """An integer, a step and a zero point that are together a number, to its last bit."""
    kind = numpy_helper.to_array(like).dtype
    integer, zero = int(value > 0.0), int(value < 0.0)
    step = np.asarray(abs(value) or 1.0, np.float32)
    return np.asarray(integer, kind), step, np.asarray(zero, kind)


def _stored(model: ModelProto, values: NDArray[Any], wish: str, taken: set[str]) -> str:
    name = fresh_name(taken, wish)
    model.graph.initializer.append(numpy_helper.from_array(values, name))
    return name
