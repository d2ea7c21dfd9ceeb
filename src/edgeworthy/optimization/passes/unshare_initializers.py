"""Each reader gets its own copy of a float constant, so that each can be quantized in its own way.

The quantizer gives a tensor one scale and one channel axis for all of its readers. A weight that
one matrix product reads straight and another transposed, or that also serves as a float table,
needs two. Copies that are still equal in the end are stored once again by ``share-initializers``.
"""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name


class UnshareInitializers(Pass):
    """Copy every float32 initializer that several inputs of nodes read, or the caller as well."""

    name = "unshare-initializers"

    def call(self, model: ModelProto) -> Rewrite:
        """Give every reader but the first a copy; a caller who gets it as a result is the first."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names()
        seen = set(wiring.outputs)
        count = 0
        for node in result.graph.node:
            for index, name in enumerate(node.input):
                tensor = wiring.constant(name)
                if tensor is None or tensor.data_type != TensorProto.FLOAT:
                    continue
                if name in seen:
                    copy = result.graph.initializer.add()
                    copy.CopyFrom(tensor)
                    copy.name = fresh_name(taken, name)
                    node.input[index] = copy.name
                    count += 1
                seen.add(name)
        if not count:
            return unchanged(model, "no float initializer has several readers")
        return changed(result, f"copied {count} shared initializers")
