"""``Constant`` nodes become initializers, where other passes and the quantizer look for weights."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, is_standard, remove_nodes

_DTYPES = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


class ConstantsToInitializers(Pass):
    """Move the value of every numeric ``Constant`` node to the initializers.

    Constants that are graph outputs stay nodes, since not every engine gives out an initializer;
    so do strings and sparse tensors.
    """

    name = "constants-to-initializers"
    operators = ("Constant",)

    def call(self, model: ModelProto) -> Rewrite:
        """Replace the nodes."""
        result = editable(model)
        wiring = Wiring(result.graph)
        doomed = []
        for node in result.graph.node:
            if not is_standard(node, "Constant") or node.output[0] in wiring.outputs:
                continue
            tensor = _value(node)
            if tensor is not None:
                doomed.append(node)
                result.graph.initializer.append(tensor)
        if not doomed:
            return unchanged(model, "no Constant nodes")
        remove_nodes(result.graph, doomed)
        return changed(result, f"moved {len(doomed)} Constant nodes to the initializers")


def _value(node: NodeProto) -> TensorProto | None:
    (item,) = node.attribute
    tensor = TensorProto()
    if item.name == "value" and item.t.data_type != TensorProto.STRING:
        tensor.CopyFrom(item.t)
    elif item.name in {"value_float", "value_int"}:
        number = item.f if item.name == "value_float" else item.i
        tensor.CopyFrom(numpy_helper.from_array(np.array(number, dtype=_DTYPES[item.name])))
    elif item.name in {"value_floats", "value_ints"}:
        numbers = list(item.floats if item.name == "value_floats" else item.ints)
        tensor.CopyFrom(numpy_helper.from_array(np.array(numbers, dtype=_DTYPES[item.name])))
    else:
        return None
    tensor.name = node.output[0]
    return tensor
