"""Operators that only move values, and would be rounded for nothing.

A ``Concat`` gives its inputs one scale. That is harmless between layers that compute in integers.
Behind the last of them it puts boxes of hundreds of pixels and scores below 1 on the same 256
steps, and every score becomes 0: a detector that finds nothing, in a file that runs well.

Rules:

1. A ``Concat`` is in integers only where a layer in integers reads what it makes, directly or
   through other operators in integers.
2. Any other operator without weights (one that moves values, a ReLU or clip, a pooling, an
   addition) is in integers only where an input comes from integers or its result is read by
   integers.
3. What stays in float may leave its neighbors idle as well: they are looked at until nothing
   changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto

from edgeworthy.optimization.wiring import Wiring

#: Operators that move or compare values and keep scale and zero point, or nearly.
CARRIERS = frozenset(
    {
        "AveragePool",
        "Clip",
        "Concat",
        "Flatten",
        "GlobalAveragePool",
        "LeakyRelu",
        "MaxPool",
        "Pad",
        "Relu",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)
#: Operators that nothing is gained by alone.
_PASSIVE = CARRIERS | {"Add"}


def without_idle(chosen: Sequence[NodeProto], wiring: Wiring) -> list[NodeProto]:
    """The nodes that would compute in integers, without those that would gain nothing from it.

    Args:
        chosen: Nodes, in graph order.
        wiring: Of their graph.
    """
    kept = list(chosen)
    while True:
        used, fed = _used(kept, wiring), _fed(kept, wiring)
        busy = [
            node
            for node in kept
            if node.op_type not in _PASSIVE
            or node.name in used
            or (node.op_type != "Concat" and node.name in fed)
        ]
        if len(busy) == len(kept):
            return kept
        kept = busy


def _used(kept: Sequence[NodeProto], wiring: Wiring) -> set[str]:
    """Names of the nodes whose results reach an operator that computes in integers."""
    names = {node.name for node in kept}
    used: set[str] = set()
    for node in reversed(kept):
        readers = [each for name in node.output for each in wiring.consumers.get(name, ())]
        if any(
            each.name in names and (each.op_type not in _PASSIVE or each.name in used)
            for each in readers
        ):
            used.add(node.name)
    return used


def _fed(kept: Sequence[NodeProto], wiring: Wiring) -> set[str]:
    """Names of the nodes with an input that comes from an operator that computes in integers."""
    names = {node.name for node in kept}
    fed: set[str] = set()
    for node in kept:
        makers = [wiring.producers[name] for name in node.input if name in wiring.producers]
        if any(
            each.name in names and (each.op_type not in _PASSIVE or each.name in fed)
            for each in makers
        ):
            fed.add(node.name)
    return fed
