"""What is particular to graphs with attention.

Rules:

1. A graph has attention when it multiplies two computed matrices.
2. What products read there keeps its largest values: a few of them steer a transformer, and cutting
   them off moves every output the same way, while rounding errors cancel.
3. Nodes that only move values are quantized there where they lead to a product in integers, and
   nowhere else: attention itself computes in float.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onnx import ModelProto, NodeProto

from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.wiring import Wiring


def has_attention(model: ModelProto) -> bool:
    """Whether two computed matrices are multiplied.

    >>> has_attention(ModelProto())
    False
    """
    wiring = Wiring(model.graph)
    return any(is_attention(node, wiring) for node in model.graph.node)


def is_attention(node: NodeProto, wiring: Wiring) -> bool:
    """Whether a node multiplies two computed matrices."""
    return node.op_type == "MatMul" and all(wiring.constant(name) is None for name in node.input)


def leading_to_weights(nodes: Sequence[NodeProto], wiring: Wiring) -> list[NodeProto]:
    """Of nodes in graph order, those with weights and those that lead to one of them."""
    kept: list[NodeProto] = []
    names: set[str] = set()
    for node in reversed(nodes):
        readers = [each for name in node.output for each in wiring.consumers.get(name, ())]
        if node.op_type in WEIGHTED or any(each.name in names for each in readers):
            names.add(node.name)
            kept.append(node)
    return kept[::-1]


def tensors_before_products(model: ModelProto, nodes: Iterable[str]) -> set[str]:
    """What products among these nodes read, straight or through nodes that only move values."""
    chosen, found = set(nodes), set[str]()
    for node in reversed(model.graph.node):
        if node.name not in chosen:
            continue
        leads = node.op_type not in WEIGHTED and any(name in found for name in node.output)
        if leads or node.op_type in {"Gemm", "MatMul"}:
            found.update([node.input[0]] if node.op_type in WEIGHTED else node.input)
    return found
