"""Operators that only move values, and would be rounded for nothing.

A ``Concat`` gives its inputs one scale. That is harmless between layers that compute in integers.
Behind the last of them it puts boxes of hundreds of pixels and scores below 1 on the same 256
steps, and every score becomes 0: a detector that finds nothing, in a file that runs well.

Rules:

1. A ``Concat`` is in integers only where a layer in integers reads what it makes, directly or
   through other operators in integers.
2. Any other operator that moves values is in integers only where its input comes from integers or
   its result is read by integers.
3. What stays in float may leave its neighbors idle as well: they are looked at until nothing
   changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto

from edgeworthy.optimization.wiring import Wiring

#: Operators that move values and compute nothing.
MOVERS = frozenset(
    {
        "Concat",
        "Flatten",
        "Pad",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)


def without_idle(chosen: Sequence[NodeProto], wiring: Wiring) -> list[NodeProto]:
    """The nodes that would compute in integers, without those that would gain nothing from it.

    Args:
        chosen: Nodes, in graph order.
        wiring: Of their graph.
    """
    kept = list(chosen)
    while True:
        names = {node.name for node in kept}
        used = _used(kept, wiring)
        idle = {
            node.name
            for node in kept
            if node.op_type in MOVERS
            and node.name not in used
            and (node.op_type == "Concat" or not _comes_from(node, names, wiring))
        }
        if not idle:
            return kept
        kept = [node for node in kept if node.name not in idle]


def _used(kept: Sequence[NodeProto], wiring: Wiring) -> set[str]:
    """Names of the nodes whose results reach an operator in integers that does more than move."""
    names = {node.name for node in kept}
    used: set[str] = set()
    for node in reversed(kept):
        readers = [each for name in node.output for each in wiring.consumers.get(name, ())]
        if any(
            each.name in names and (each.op_type not in MOVERS or each.name in used)
            for each in readers
        ):
            used.add(node.name)
    return used


def _comes_from(node: NodeProto, names: set[str], wiring: Wiring) -> bool:
    maker = wiring.producers.get(node.input[0])
    return maker is not None and maker.name in names
