"""Weights that no node reads go."""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable


class RemoveUnusedInitializers(Pass):
    """Remove initializers that no node reads, no inner graph captures and no output gives out.

    Defaults of graph inputs stay.
    """

    name = "remove-unused-initializers"

    def call(self, model: ModelProto) -> Rewrite:
        """Keep what is read."""
        wiring = Wiring(model.graph)
        used = {*wiring.consumers, *wiring.captured, *wiring.outputs, *wiring.inputs}
        doomed = [i for i, t in enumerate(model.graph.initializer) if t.name not in used]
        if not doomed:
            return unchanged(model, "every initializer is read")
        result = editable(model)
        for index in reversed(doomed):
            del result.graph.initializer[index]
        return changed(result, f"removed {len(doomed)} unused initializers")
