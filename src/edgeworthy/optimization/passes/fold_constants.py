"""What does not depend on the inputs is computed now instead of on every inference.

Rules:

1. A node is folded when all of its inputs are constants, it always gives the same result, and the
   size of the result is known before it is computed.
2. A result larger than 1 MiB is folded only if it is no larger than the constants it replaces:
   a few bytes must not become a gigabyte.
3. Quantized weights stay behind their ``DequantizeLinear``.
"""

from __future__ import annotations

import math

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.errors import InferenceError
from edgeworthy.graph.shapes import skeleton
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    STANDARD_DOMAINS,
    Wiring,
    editable,
    inner_graphs,
    remove_nodes,
)

_FREE_SIZE_BYTES = 1 << 20
_NEVER = frozenset(
    {
        "Bernoulli",
        "Constant",
        "DequantizeLinear",
        "Dropout",
        "Multinomial",
        "QuantizeLinear",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)


class FoldConstants(Pass):
    """Replace constant subgraphs by their values."""

    name = "fold-constants"

    def call(self, model: ModelProto) -> Rewrite:
        """Find the constant part, run it, keep its results."""
        foldable = _foldable_nodes(model)
        if not foldable:
            return unchanged(model, "nothing is constant")
        result = editable(model)
        doomed = [result.graph.node[index] for index in foldable]
        wanted = _results(result, doomed)
        try:
            values = Executor(_constant_part(result, doomed, wanted)).run({}, wanted)
        except InferenceError as error:
            return unchanged(model, f"the constant part does not run: {error.problem}")
        result.graph.initializer.extend(
            numpy_helper.from_array(value, name) for name, value in values.items()
        )
        remove_nodes(result.graph, doomed)
        return changed(result, f"computed {len(doomed)} constant nodes beforehand")


def _foldable_nodes(model: ModelProto) -> list[int]:
    sizes = _known_sizes(model)
    wiring = Wiring(model.graph)
    constant_bytes = {
        name: _tensor_bytes(tensor.data_type, list(tensor.dims))
        for name, tensor in wiring.initializers.items()
        if name not in wiring.inputs
    }
    foldable = []
    for index, node in enumerate(model.graph.node):
        inputs = [name for name in node.input if name]
        if not _is_pure(node) or not inputs or not constant_bytes.keys() >= set(inputs):
            continue
        outputs = [name for name in node.output if name]
        if any(name not in sizes or name in wiring.outputs for name in outputs):
            continue
        limit = max(_FREE_SIZE_BYTES, sum(constant_bytes[name] for name in set(inputs)))
        if sum(sizes[name] for name in outputs) <= limit:
            foldable.append(index)
            constant_bytes.update({name: sizes[name] for name in outputs})
    return foldable


def _is_pure(node: NodeProto) -> bool:
    if node.domain not in STANDARD_DOMAINS or node.op_type in _NEVER:
        return False
    return not any(True for _ in inner_graphs(node))


def _known_sizes(model: ModelProto) -> dict[str, int]:
    """Bytes of every computed tensor whose shape is known without running anything."""
    try:
        inferred = onnx.shape_inference.infer_shapes(skeleton(model), data_prop=True)
    except onnx.shape_inference.InferenceError:
        return {}
    sizes = {}
    for value in inferred.graph.value_info:
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
            continue
        if all(axis.HasField("dim_value") for axis in tensor.shape.dim):
            dims = [axis.dim_value for axis in tensor.shape.dim]
            if tensor.elem_type not in {TensorProto.UNDEFINED, TensorProto.STRING}:
                sizes[value.name] = _tensor_bytes(tensor.elem_type, dims)
    return sizes


def _tensor_bytes(data_type: int, dims: list[int]) -> int:
    if data_type == TensorProto.STRING:
        return _FREE_SIZE_BYTES
    return math.prod(dims) * helper.tensor_dtype_to_np_dtype(data_type).itemsize


def _results(model: ModelProto, doomed: list[NodeProto]) -> list[str]:
    """Outputs of the doomed nodes that somebody else reads."""
    wiring = Wiring(model.graph)
    marks = {id(node) for node in doomed}
    return [
        name
        for node in doomed
        for name in node.output
        if name in wiring.captured
        or any(id(user) not in marks for user in wiring.consumers.get(name, ()))
    ]


def _constant_part(model: ModelProto, doomed: list[NodeProto], wanted: list[str]) -> ModelProto:
    part = ModelProto()
    part.CopyFrom(model)
    for field in ("node", "input", "output", "value_info", "initializer", "sparse_initializer"):
        part.graph.ClearField(field)
    needed = {name for node in doomed for name in node.input}
    part.graph.node.extend(doomed)
    part.graph.initializer.extend(t for t in model.graph.initializer if t.name in needed)
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    return part
