"""``Identity`` nodes do nothing and go."""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import bypass, editable, is_standard


class EliminateIdentity(Pass):
    """Connect the readers of every ``Identity`` to its input.

    One that gives a graph input or a constant out under another name stays: it is needed.
    """

    name = "eliminate-identity"
    operators = ("Identity",)

    def call(self, model: ModelProto) -> Rewrite:
        """Bypass the nodes."""
        result = editable(model)
        nodes = [node for node in result.graph.node if is_standard(node, "Identity")]
        count = sum(bypass(result.graph, node) for node in nodes)
        if not count:
            return unchanged(model, "no Identity that can go")
        return changed(result, f"removed {count} Identity nodes")
