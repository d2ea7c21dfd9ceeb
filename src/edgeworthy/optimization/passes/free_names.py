"""No tensor has a name that the quantizer is going to give.

The quantizer calls what it adds after the tensor that it belongs to: ``w`` gets ``w_scale``. Where
the model has a tensor of that name already, one of the two would be taken for the other.

Rules:

1. Only a name that is another tensor's name with one of the quantizer's endings is in the way.
2. Names of the model's inputs and outputs, and those that inner graphs look up, are not ours to
   change; then the other of the two gets a new name.
"""

from __future__ import annotations

from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name

#: What onnxruntime's quantizer appends to the names of tensors.
ENDINGS = (
    "_scale",
    "_zero_point",
    "_quantized",
    "_quantized_scale",
    "_quantized_zero_point",
    "_QuantizeLinear_Input",
    "_QuantizeLinear_Output",
    "_DequantizeLinear_Output",
)


class FreeNames(Pass):
    """Rename tensors whose names the quantizer needs."""

    name = "free-names"

    def call(self, model: ModelProto) -> Rewrite:
        """Rename one of each two that clash."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names()
        renamed: dict[str, str] = {}
        for first in sorted(taken):
            for second in (first + ending for ending in ENDINGS):
                if second not in taken or first in renamed or second in renamed:
                    continue
                ours = [name for name in (second, first) if _is_ours(name, wiring)]
                if ours:
                    renamed[ours[0]] = fresh_name(taken, f"{ours[0]}_of_the_model")
        if not renamed:
            return unchanged(model, "no name is in the quantizer's way")
        _rename(result, renamed)
        return changed(result, f"renamed {len(renamed)} tensors")


def _is_ours(name: str, wiring: Wiring) -> bool:
    return wiring.is_private(name) and name not in wiring.inputs


def _rename(model: ModelProto, names: dict[str, str]) -> None:
    graph = model.graph
    for node in graph.node:
        for tensors in (node.input, node.output):
            for index, name in enumerate(tensors):
                tensors[index] = names.get(name, name)
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for value in graph.value_info:
        value.name = names.get(value.name, value.name)
