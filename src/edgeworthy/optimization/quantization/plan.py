"""Which nodes compute in integers, and which stay in float.

Rules:

1. Convolutions and matrix products with constant float32 weights are quantized: there are the
   arithmetic and the bytes.
2. What lies between them is quantized where the engine has an integer kernel that loses next to
   nothing: ReLU, pooling, reshaping, concatenation, residual additions.
3. Softmax, normalizations, sigmoids and other curves stay in float: 256 steps are too few for
   them, and they are a small share of the time. Gates do not: see
   :mod:`~edgeworthy.optimization.quantization.gates`.
4. In a graph with attention (a product of two computed matrices), additions stay in float as
   well: the residual stream of a transformer has outliers that would eat the range. See
   :mod:`attention`.
5. So does a ReLU or clip between a product and float readers: see :func:`_ends_in_float`.
6. What only moves values stays in float where nothing in integers would be the better for it: see
   :mod:`~edgeworthy.optimization.quantization.idle_carriers`.
7. A ``Clip`` whose interval does not hold 0 stays a node of its own: a quantized range always
   holds 0, so the clip is not implied by it.

The figures behind these rules are quoted in ``docs/concepts/quantization.md``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.errors import OptimizationError
from edgeworthy.graph.shapes import skeleton
from edgeworthy.optimization.quantization.attention import is_attention, leading_to_weights
from edgeworthy.optimization.quantization.gates import gated_nodes
from edgeworthy.optimization.quantization.idle_carriers import CARRIERS, without_idle
from edgeworthy.optimization.wiring import STANDARD_DOMAINS, Wiring, attribute

_T = TypeVar("_T")
_MATRIX_RANK = 2
_BIAS_INPUT = 2


@dataclass(frozen=True)
class QuantizationPlan:
    """What will be quantized.

    Attributes:
        nodes: Names of the nodes that compute in integers, in graph order.
        activations: Names of the float tensors around them that need a range, in graph order.
        implied: Tensors before a ReLU or clip that the range of the result makes unnecessary: the
            quantizer drops the node, so that its input takes on the result's range.
    """

    nodes: tuple[str, ...]
    activations: tuple[str, ...]
    implied: Mapping[str, str]

    def with_implied(self, ranges: Mapping[str, _T]) -> dict[str, _T]:
        """Ranges of the activations and of the tensors that need none of their own."""
        return {**ranges, **{name: ranges[self._behind(name)] for name in self.implied}}

    def _behind(self, name: str) -> str:
        """Where a ReLU or clip, or several in a row, end."""
        while name in self.implied:
            name = self.implied[name]
        return name

    def only(self, nodes: Sequence[str]) -> QuantizationPlan:
        """The part of the plan that is about these nodes; it needs no ranges."""
        return QuantizationPlan(nodes=tuple(nodes), activations=(), implied={})


def make_plan(model: ModelProto, *, float_nodes: Sequence[str] = ()) -> QuantizationPlan:
    """Choose the nodes.

    Args:
        model: A graph whose nodes have names of their own.
        float_nodes: Nodes that stay in float whatever the rules say.

    Raises:
        OptimizationError: There is no node of one of these names.
    """
    _check_names(model, float_nodes)
    wiring = Wiring(model.graph)
    weighted = weighted_nodes(model.graph, wiring)
    attention = any(is_attention(node, wiring) for node in model.graph.node)
    floats = _float_tensors(model, wiring)
    chosen: list[NodeProto] = []
    for node in model.graph.node:
        carries = _is_carrier(node, wiring) or (not attention and _is_residual(node, wiring))
        carries = carries and node.output[0] in floats
        if node.name not in float_nodes and (node.name in weighted or carries):
            chosen.append(node)
    if not attention:
        integers = {node.name for node in chosen}
        gated = gated_nodes(model.graph, wiring, integers, set(float_nodes))
        chosen = [node for node in model.graph.node if node.name in integers | gated]
    chosen = [node for node in chosen if not _ends_in_float(node, chosen, wiring)]
    chosen = leading_to_weights(chosen, wiring) if attention else without_idle(chosen, wiring)
    implied = {
        node.input[0]: node.output[0]
        for node in chosen
        if node.op_type in {"Clip", "Relu"} and _is_droppable(node, wiring)
    }
    names = dict.fromkeys(
        name for node in chosen for name in (*node.input, *node.output) if name in floats
    )
    return QuantizationPlan(
        nodes=tuple(node.name for node in chosen),
        activations=tuple(name for name in names if name not in implied),
        implied=implied,
    )


def _check_names(model: ModelProto, names: Sequence[str]) -> None:
    known = [node.name for node in model.graph.node]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise OptimizationError(
                f"the cleaned graph has no node `{name}`",
                expected=f"`{near[0]}`" if near else "the name of one of its nodes",
            )


def _float_tensors(model: ModelProto, wiring: Wiring) -> set[str]:
    """Inputs and computed tensors that hold float32; exporters note the shapes of weights too."""
    graph = onnx.shape_inference.infer_shapes(skeleton(model)).graph
    return {
        value.name
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
        and wiring.constant(value.name) is None
    }


def weighted_nodes(graph: GraphProto, wiring: Wiring) -> list[str]:
    """Names of the convolutions and products whose weights can be quantized."""
    rules: dict[str, Callable[[NodeProto, Wiring], bool]] = {
        "Conv": _conv_fits,
        "Gemm": _gemm_fits,
        "MatMul": _matmul_fits,
    }
    return [
        node.name
        for node in graph.node
        if node.op_type in rules
        and node.domain in STANDARD_DOMAINS
        and rules[node.op_type](node, wiring)
    ]


def channel_axis(node: NodeProto) -> int:
    """The axis of a weight along which each output channel has its own scale."""
    if node.op_type == "Conv" or (node.op_type == "Gemm" and attribute(node, "transB", 0)):
        return 0
    return 1


def _conv_fits(node: NodeProto, wiring: Wiring) -> bool:
    bias = len(node.input) <= _BIAS_INPUT or _float_constant(node.input[_BIAS_INPUT], wiring)
    return bool(bias) and _float_constant(node.input[1], wiring) is not None


def _gemm_fits(node: NodeProto, wiring: Wiring) -> bool:
    weight = _float_constant(node.input[1], wiring)
    if weight is None or _has_factors(node) or attribute(node, "transA", 0):
        return False
    if len(node.input) <= _BIAS_INPUT or not node.input[_BIAS_INPUT]:
        return True
    bias = _float_constant(node.input[_BIAS_INPUT], wiring)
    channels = weight.dims[channel_axis(node)]
    return bias is not None and list(bias.dims) == [channels]


def _has_factors(node: NodeProto) -> bool:
    """The quantizer drops them silently."""
    return attribute(node, "alpha", 1.0) != 1.0 or attribute(node, "beta", 1.0) != 1.0


def _matmul_fits(node: NodeProto, wiring: Wiring) -> bool:
    weight = _float_constant(node.input[1], wiring)
    if weight is None or len(weight.dims) != _MATRIX_RANK:
        return False
    return not _is_constant(node.input[0], wiring)


def _is_residual(node: NodeProto, wiring: Wiring) -> bool:
    return node.op_type == "Add" and not any(_is_constant(name, wiring) for name in node.input)


def _is_droppable(node: NodeProto, wiring: Wiring) -> bool:
    """Whether a quantized range does all that a ReLU or clip does; the quantizer's own rule."""
    source = node.input[0]
    return source in wiring.producers and wiring.has_one_consumer(source)


def _ends_in_float(node: NodeProto, chosen: Sequence[NodeProto], wiring: Wiring) -> bool:
    """Whether a ReLU or clip stands between a product and readers that all compute in float.

    The product then gives out float (``float-results``), so no quantized range would do its work.
    """
    if node.op_type not in {"Clip", "Relu"}:
        return False
    source = wiring.producers.get(node.input[0])
    if source is None or source.op_type not in {"Gemm", "MatMul"}:
        return False
    names = {other.name for other in chosen}
    readers = wiring.consumers.get(node.output[0], ())
    return not any(reader.name in names for reader in readers)


def _is_carrier(node: NodeProto, wiring: Wiring) -> bool:
    if node.op_type not in CARRIERS or node.domain not in STANDARD_DOMAINS:
        return False
    return node.op_type != "Clip" or _clip_holds_zero(node, wiring)


def _clip_holds_zero(node: NodeProto, wiring: Wiring) -> bool:
    lowest, highest = -np.inf, np.inf
    if len(node.input) > 1 and node.input[1]:
        lowest = _scalar(node.input[1], wiring, default=np.inf)
    if len(node.input) > _BIAS_INPUT and node.input[_BIAS_INPUT]:
        highest = _scalar(node.input[_BIAS_INPUT], wiring, default=-np.inf)
    return bool(lowest <= 0.0 <= highest)


def _scalar(name: str, wiring: Wiring, *, default: float) -> float:
    tensor = wiring.constant(name)
    return default if tensor is None else float(numpy_helper.to_array(tensor).reshape(-1)[0])


def _is_constant(name: str, wiring: Wiring) -> bool:
    return wiring.constant(name) is not None


def _float_constant(name: str, wiring: Wiring) -> TensorProto | None:
    tensor = wiring.constant(name)
    return tensor if tensor is not None and tensor.data_type == TensorProto.FLOAT else None
