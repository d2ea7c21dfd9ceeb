"""Every node gets a name of its own, by which the quantizer is told what to do with it."""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import editable, fresh_name


class NameNodes(Pass):
    """Name nodes that have no name, and all but the first of those that share one."""

    name = "name-nodes"

    def call(self, model: ModelProto) -> Rewrite:
        """Name them after their operator."""
        result = editable(model)
        taken = {node.name for node in model.graph.node if node.name}
        seen: set[str] = set()
        count = 0
        for node in result.graph.node:
            if not node.name or node.name in seen:
                node.name = fresh_name(taken, node.name or node.op_type)
                count += 1
            seen.add(node.name)
        if not count:
            return unchanged(model, "every node has a name of its own")
        return changed(result, f"named {count} nodes")
