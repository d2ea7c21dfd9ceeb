"""``Dropout`` belongs to training: in inference it passes its input on, and goes."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, bypass, editable, is_standard

_TRAINING_MODE_INPUT = 2


class EliminateDropout(Pass):
    """Connect the readers of every ``Dropout`` in inference mode to its input.

    One whose mask is read, or that an input may switch to training, stays.
    """

    name = "eliminate-dropout"
    operators = ("Dropout",)

    def call(self, model: ModelProto) -> Rewrite:
        """Bypass the nodes."""
        result = editable(model)
        wiring = Wiring(result.graph)
        nodes = [node for node in result.graph.node if _is_idle(node, wiring)]
        count = sum(bypass(result.graph, node) for node in nodes)
        if not count:
            return unchanged(model, "no Dropout that can go")
        return changed(result, f"removed {count} Dropout nodes")


def _is_idle(node: NodeProto, wiring: Wiring) -> bool:
    if not is_standard(node, "Dropout"):
        return False
    if any(
        name in wiring.consumers or not wiring.is_private(name) for name in node.output[1:] if name
    ):
        return False
    if len(node.input) <= _TRAINING_MODE_INPUT or not node.input[_TRAINING_MODE_INPUT]:
        return True
    mode = wiring.constant(node.input[_TRAINING_MODE_INPUT])
    return mode is not None and not np.any(numpy_helper.to_array(mode))
