"""Multiply-accumulates of one node, from the shapes around it.

Rules:

1. One rule for each family of operators; an operator without a rule has no multiply-accumulates
   that we count.
2. A shape that is not known gives ``None``, never a guess.
3. A product counts once, whatever its data type: float, integer or quantized.

Shapes and the meaning of the operands are those of the ONNX operator specification,
https://onnx.ai/onnx/operators/, and of ONNX Runtime's contributed operators (``com.microsoft``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import onnx

from edgeworthy.graph.shapes import TensorShape

Shapes: TypeAlias = Mapping[str, TensorShape]
_Rule: TypeAlias = Callable[[onnx.NodeProto, Shapes], int | None]

#: Operators with much arithmetic that the census has no rule for.
UNCOUNTED = frozenset({"Einsum", "Attention", "MultiHeadAttention", "DeformConv", "Scan", "Loop"})


def node_macs(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    """Multiply-accumulates of a node; 0 where it has none, ``None`` where shapes are unknown."""
    rule = _RULES.get(node.op_type)
    return 0 if rule is None else rule(node, shapes)


def has_rule(op_type: str) -> bool:
    """Whether an operator's multiply-accumulates are counted."""
    return op_type in _RULES


def _sizes(names: list[str], index: int, shapes: Shapes) -> tuple[int, ...] | None:
    if index >= len(names) or names[index] not in shapes:
        return None
    return shapes[names[index]].sizes


def _convolution(weight: int) -> _Rule:
    """Each output element sums over the input channels of its group and the kernel."""

    def rule(node: onnx.NodeProto, shapes: Shapes) -> int | None:
        output = _sizes(list(node.output), 0, shapes)
        kernel = _sizes(list(node.input), weight, shapes)
        if output is None or kernel is None:
            return None
        return math.prod(output) * math.prod(kernel[1:])

    return rule


def _transposed_convolution(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    """Each input element is spread over the output channels of its group and the kernel."""
    source = _sizes(list(node.input), 0, shapes)
    kernel = _sizes(list(node.input), 1, shapes)
    if source is None or kernel is None:
        return None
    return math.prod(source) * math.prod(kernel[1:])


def _product(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    """Each output element sums over the axis that both operands share.

    ``transA`` moves that axis of the left operand from the last place to the last but one.
    """
    output = _sizes(list(node.output), 0, shapes)
    left = _sizes(list(node.input), 0, shapes)
    if output is None or not left:
        return None
    transposed = any(a.name == "transA" and a.i for a in node.attribute)
    return math.prod(output) * left[-2 if transposed and len(left) > 1 else -1]


def _recurrent(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    """Every step multiplies the input with W and the state with R, once for each sequence."""
    source = _sizes(list(node.input), 0, shapes)
    weight = _sizes(list(node.input), 1, shapes)
    recurrence = _sizes(list(node.input), 2, shapes)
    if source is None or weight is None or recurrence is None:
        return None
    # X is (steps, batch, size) or (batch, steps, size): the product of the first two is the same.
    return math.prod(source[:2]) * (math.prod(weight) + math.prod(recurrence))


_RULES: dict[str, _Rule] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "FusedConv": _convolution(1),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution,
    "Gemm": _product,
    "QGemm": _product,
    "FusedGemm": _product,
    "MatMul": _product,
    "FusedMatMul": _product,
    "MatMulInteger": _product,
    "MatMulIntegerToFloat": _product,
    "DynamicQuantizeMatMul": _product,
    "MatMulNBits": _product,
    "QLinearMatMul": _product,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}
