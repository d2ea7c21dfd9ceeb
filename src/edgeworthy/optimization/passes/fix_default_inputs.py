"""Weights that are listed as inputs become constants.

Old exporters list every initializer among the graph's inputs, where it is a default that a caller
may override (ONNX IR below 4). Nobody overrides weights on a device, and as long as they could be,
nothing may be folded into them.
"""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import editable

_IR_VERSION_WITH_FREE_INITIALIZERS = 4


class FixDefaultInputs(Pass):
    """Take initializers off the list of inputs."""

    name = "fix-default-inputs"

    def call(self, model: ModelProto) -> Rewrite:
        """Keep only the inputs that have no initializer."""
        constants = {tensor.name for tensor in model.graph.initializer}
        doomed = [i for i, value in enumerate(model.graph.input) if value.name in constants]
        if not doomed:
            return unchanged(model, "no input has a default")
        result = editable(model)
        for index in reversed(doomed):
            del result.graph.input[index]
        result.ir_version = max(result.ir_version, _IR_VERSION_WITH_FREE_INITIALIZERS)
        return changed(result, f"fixed {len(doomed)} inputs at their defaults")
