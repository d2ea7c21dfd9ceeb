"""Why a model cannot be quantized, in words.

Rules:

1. A model that is quantized already is left alone: a second rounding on other scales only adds
   error.
2. Nothing is quantized partly by accident: inner graphs, whose tensors cannot be observed from
   outside, are a reason to refuse.
3. There must be something to win: a matrix product or a convolution with constant float weights.
"""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import weighted_nodes
from edgeworthy.optimization.wiring import Wiring, inner_graphs

_QUANTIZED = frozenset(
    {
        "ConvInteger",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "MatMulNBits",
        "QAttention",
        "QGemm",
        "QuantizeLinear",
    }
)


def why_not(model: ModelProto) -> str:
    """One sentence without a full stop; empty when the model can be quantized."""
    quantized = sorted({n.op_type for n in model.graph.node if _is_quantized(n.op_type)})
    if quantized:
        return f"the model is already quantized: it has {', '.join(quantized)}"
    nested = sorted({n.op_type for n in model.graph.node if any(True for _ in inner_graphs(n))})
    if nested:
        return f"tensors inside {', '.join(nested)} cannot be observed or quantized"
    if not any(node.op_type in WEIGHTED for node in model.graph.node):
        return f"there is nothing to gain: the model has no {', '.join(WEIGHTED)}"
    if not weighted_nodes(model.graph, Wiring(model.graph)):
        return (
            f"no {', '.join(WEIGHTED)} of the model has constant float32 weights of a form that "
            "8-bit kernels take"
        )
    return ""


def _is_quantized(op_type: str) -> bool:
    return op_type in _QUANTIZED or op_type.startswith("QLinear")
