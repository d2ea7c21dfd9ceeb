"""Every tensor's type is written down where ONNX alone cannot tell it.

Shape inference knows the standard operators, and not all of those. Behind any other operator the
types of all tensors are unknown, and what has no type is not quantized: the engine, which knows its
own operators, is asked.
"""

from __future__ import annotations

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto

from edgeworthy.graph.shapes import skeleton
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import editable

_TYPES = {
    "tensor(float)": TensorProto.FLOAT,
    "tensor(float16)": TensorProto.FLOAT16,
    "tensor(double)": TensorProto.DOUBLE,
    "tensor(int64)": TensorProto.INT64,
    "tensor(int32)": TensorProto.INT32,
    "tensor(bool)": TensorProto.BOOL,
}


class NoteTypes(Pass):
    """Add the engine's answer for each tensor whose type shape inference does not find."""

    name = "note-types"

    def call(self, model: ModelProto) -> Rewrite:
        """Ask the engine about all of them at once."""
        unknown = _unknown(model)
        if not unknown:
            return unchanged(model, "every type can be inferred")
        watched = editable(model)
        watched.graph.output.extend(ValueInfoProto(name=name) for name in unknown)
        found = Executor(watched).output_types()
        result = editable(model)
        known = {value.name: value for value in result.graph.value_info}
        for name in unknown:
            value = known.get(name) or result.graph.value_info.add()
            value.name = name
            value.type.tensor_type.elem_type = _TYPES.get(found[name], TensorProto.UNDEFINED)
        return changed(result, f"the engine told the types of {len(unknown)} tensors")


def _unknown(model: ModelProto) -> list[str]:
    graph = onnx.shape_inference.infer_shapes(skeleton(model)).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    known = {value.name for value in values if value.type.WhichOneof("value")}
    known.update(tensor.name for tensor in graph.initializer)
    return [name for node in graph.node for name in node.output if name and name not in known]
