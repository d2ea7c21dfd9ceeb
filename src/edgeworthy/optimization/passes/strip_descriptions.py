"""Texts that no engine reads go.

Descriptions, exporters' stack traces and the stored shapes of inner tensors are removed. The
model's own metadata stay, since applications keep labels and settings there. Shapes stay in graphs
with custom operators, where they cannot be inferred again.
"""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import STANDARD_DOMAINS, editable

_ENGINE_DOMAINS = {*STANDARD_DOMAINS, "com.microsoft"}


class StripDescriptions(Pass):
    """Remove doc strings, node metadata and the shapes of inner tensors."""

    name = "strip-descriptions"

    def call(self, model: ModelProto) -> Rewrite:
        """Clear the fields."""
        result = editable(model)
        graph = result.graph
        parts = (*graph.node, *graph.initializer, *graph.input, *graph.output)
        for described in (result, graph, *parts):
            described.ClearField("doc_string")
        for annotated in (graph, *parts):
            annotated.ClearField("metadata_props")
        if all(node.domain in _ENGINE_DOMAINS for node in graph.node):
            graph.ClearField("value_info")
        saved = model.ByteSize() - result.ByteSize()
        if not saved:
            return unchanged(model, "no descriptions")
        return changed(result, f"removed {saved} bytes of descriptions")
