"""Nodes whose results nobody reads go."""

from __future__ import annotations

from onnx import ModelProto, NodeProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, remove_nodes


class RemoveDeadNodes(Pass):
    """Remove every node that no output depends on, in one walk from the last node to the first."""

    name = "remove-dead-nodes"

    def call(self, model: ModelProto) -> Rewrite:
        """Keep what the outputs need."""
        result = editable(model)
        needed = {value.name for value in result.graph.output} | Wiring(result.graph).captured
        doomed: list[NodeProto] = []
        for node in reversed(result.graph.node):
            if needed.isdisjoint(node.output):
                doomed.append(node)
            else:
                needed.update(node.input)
        if not doomed:
            return unchanged(model, "every node is needed")
        remove_nodes(result.graph, doomed)
        return changed(result, f"removed {len(doomed)} nodes that no output depends on")
