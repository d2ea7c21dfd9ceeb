"""Equal constants are stored once."""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, replace_uses


class ShareInitializers(Pass):
    """Make readers of an initializer read the first one of equal type, shape and bytes."""

    name = "share-initializers"

    def call(self, model: ModelProto) -> Rewrite:
        """Keep the first of every set of equals."""
        result = editable(model)
        wiring = Wiring(result.graph)
        kept: dict[bytes, str] = {}
        doomed = []
        for index, tensor in enumerate(result.graph.initializer):
            if tensor.name in wiring.inputs or not wiring.is_private(tensor.name):
                continue
            first = kept.setdefault(_content(tensor), tensor.name)
            if first != tensor.name:
                replace_uses(result.graph, tensor.name, first)
                doomed.append(index)
        if not doomed:
            return unchanged(model, "no two initializers are equal")
        for index in reversed(doomed):
            del result.graph.initializer[index]
        return changed(result, f"stored {len(doomed)} equal initializers once")


def _content(tensor: TensorProto) -> bytes:
    nameless = TensorProto()
    nameless.CopyFrom(tensor)
    nameless.ClearField("name")
    nameless.ClearField("doc_string")
    content: bytes = nameless.SerializeToString(deterministic=True)
    return content
