"""Results that only float nodes or the caller read are not rounded to 8 bits.

The quantizer rounds the output of every product. Where the next reader is a Softmax, or nobody but
the caller, the rounding buys no speed and costs resolution: a regression would answer in 256 steps,
cut off at what the calibration samples reached. The engine's integer ``Gemm`` and ``MatMul`` give
out float without it; its ``Conv`` does not, so convolutions keep theirs.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    Wiring,
    editable,
    is_standard,
    remove_nodes,
    replace_uses,
)

_INTEGER_READERS = ("DequantizeLinear", "QuantizeLinear")


class FloatResults(Pass):
    """Remove the Q/DQ pair after a ``Gemm`` or ``MatMul`` that no integer node reads."""

    name = "float-results"
    keeps_outputs = False

    def call(self, model: ModelProto) -> Rewrite:
        """Remove the pairs."""
        result = editable(model)
        wiring = Wiring(result.graph)
        freed = []
        for node in result.graph.node:
            pair = _pair_after(node, wiring) if is_standard(node, "Gemm", "MatMul") else None
            if pair is not None and not _is_read_by_integers(pair[1].output[0], wiring):
                freed.append((node, pair))
        for product, (_, dequantize) in freed:
            source, result_name = product.output[0], dequantize.output[0]
            if result_name in wiring.outputs:
                product.output[0] = result_name
            else:
                replace_uses(result.graph, result_name, source)
        remove_nodes(result.graph, [node for _, pair in freed for node in pair])
        if not freed:
            return unchanged(model, "no result is rounded for nothing")
        return changed(result, f"left {len(freed)} results in float")


def _is_read_by_integers(name: str, wiring: Wiring) -> bool:
    return any(is_integer_node(node, wiring) for node in wiring.consumers.get(name, ()))


def _pair_after(product: NodeProto, wiring: Wiring) -> tuple[NodeProto, NodeProto] | None:
    source = product.output[0]
    if not wiring.has_one_consumer(source):
        return None
    quantize = wiring.consumers[source][0]
    if quantize.op_type != "QuantizeLinear" or not wiring.has_one_consumer(quantize.output[0]):
        return None
    dequantize = wiring.consumers[quantize.output[0]][0]
    return (quantize, dequantize) if dequantize.op_type == "DequantizeLinear" else None


def is_integer_node(node: NodeProto, wiring: Wiring) -> bool:
    """Whether a node stands between Q and DQ: some input is dequantized and a result quantized."""
    if node.op_type in _INTEGER_READERS or is_standard(node, "Gemm", "MatMul", "Conv"):
        return True
    return any(
        reader.op_type == "QuantizeLinear"
        for name in node.output
        for reader in wiring.consumers.get(name, ())
    )
