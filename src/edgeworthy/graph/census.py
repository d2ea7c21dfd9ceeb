"""How often each operator occurs, and its share of the arithmetic.

Rules:

1. Nodes of subgraphs are counted as nodes; their arithmetic is not, because how often they run
   is not known before.
2. Figures are per sample: a fixed batch is divided out.
3. Most arithmetic first, then most nodes, then by name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import onnx

from edgeworthy.documents.model import OperatorCount
from edgeworthy.graph.macs import Shapes, node_macs
from edgeworthy.graph.tensors import element_count, nodes_of, packed_bytes, stored_tensors


@dataclass(frozen=True)
class Census:
    """Operators of a model.

    Attributes:
        operators: Most arithmetic first.
        mac_count: Multiply-accumulates per sample.
        unknown: Operators, by name, whose arithmetic could not be told for want of shapes.
    """

    operators: tuple[OperatorCount, ...]
    mac_count: int
    unknown: tuple[str, ...]


def take_census(model: onnx.ModelProto, shapes: Shapes, *, batch: int = 1) -> Census:
    """Count operators and their multiply-accumulates.

    Args:
        model: The model.
        shapes: Of the tensors of the main graph, for one batch.
        batch: Samples in that batch.
    """
    nodes = Counter((_domain(node), node.op_type) for node in nodes_of(model))
    macs: Counter[tuple[str, str]] = Counter()
    unknown = set()
    for node in model.graph.node:
        count = node_macs(node, shapes)
        if count is None:
            unknown.add(node.op_type)
        else:
            macs[_domain(node), node.op_type] += count
    operators = [
        OperatorCount(
            domain=domain,
            op_type=op_type,
            node_count=count,
            mac_count=macs[domain, op_type] // batch,
        )
        for (domain, op_type), count in nodes.items()
    ]
    operators.sort(key=lambda o: (-o.mac_count, -o.node_count, o.domain, o.op_type))
    total = sum(macs.values()) // batch
    return Census(tuple(operators), total, tuple(sorted(unknown)))


def count_parameters(model: onnx.ModelProto) -> tuple[int, int]:
    """Number and bytes of all stored values, those in Constant nodes included."""
    count = size_bytes = 0
    for _, tensor in stored_tensors(model):
        elements = element_count(tensor)
        count += elements
        size_bytes += packed_bytes(elements, tensor.data_type)
    return count, size_bytes


def _domain(node: onnx.NodeProto) -> str:
    return "" if node.domain == "ai.onnx" else node.domain
