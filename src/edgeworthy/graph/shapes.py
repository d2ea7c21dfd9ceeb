"""Shapes of every tensor in a graph, by ONNX shape inference without the weights.

Rules:

1. Inference runs on a skeleton: large initializers become typed inputs, so that weights are never
   copied; small ones stay, because a Reshape needs their values.
2. The batch axis (the first axis of an input, when it has a name instead of a size) is one
   sample, wherever its name occurs.
3. What inference cannot tell is absent, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx
from onnx import helper

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.quoting import one_line
from edgeworthy.graph.tensors import element_count, is_external

#: What exporters write for an axis whose size they do not know: no name, since two axes of one
#: name have one size, and two of these need not.
_NO_NAMES = frozenset({"?", "-1", "None"})
#: Initializers up to this many elements keep their values in the skeleton.
_SMALL = 1024


@dataclass(frozen=True)
class TensorShape:
    """Type and shape of one tensor.

    Attributes:
        data_type: ONNX data type.
        sizes: One per axis.
    """

    data_type: int
    sizes: tuple[int, ...]


def without_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model that has none of its constants yet, for whoever puts them back his way.

    Copying the nodes alone is cheap; constants are most of a model's bytes.
    """
    bare = onnx.ModelProto(ir_version=model.ir_version)
    bare.opset_import.extend(model.opset_import)
    bare.functions.extend(model.functions)
    graph, source = bare.graph, model.graph
    graph.name = source.name
    graph.node.extend(source.node)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    graph.sparse_initializer.extend(source.sparse_initializer)
    return bare


def skeleton(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model without its large weights, fit for the checker and for inference."""
    bare = without_constants(model)
    graph, source = bare.graph, model.graph
    declared = {value.name for value in source.input}
    for tensor in source.initializer:
        if element_count(tensor) <= _SMALL and not is_external(tensor):
            graph.initializer.append(tensor)
        elif tensor.name not in declared:
            graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return bare


def tensor_ranks(model: onnx.ModelProto, *, data_type: int | None = None) -> dict[str, int]:
    """The number of axes of each tensor, where it can be told.

    Args:
        model: The model.
        data_type: Only tensors of this ONNX type; of any when left out.
    """
    graph = onnx.shape_inference.infer_shapes(skeleton(model)).graph
    return {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
        and data_type in {None, value.type.tensor_type.elem_type}
    }


def real_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Inputs that a caller must give: those without an initializer."""
    stored = {tensor.name for tensor in graph.initializer}
    stored.update(sparse.values.name for sparse in graph.sparse_initializer)
    return [value for value in graph.input if value.name not in stored]


def infer_shapes(model: onnx.ModelProto, *, strict: bool = False) -> onnx.ModelProto:
    """The skeleton of a model with all shapes that inference can tell.

    Args:
        model: The model.
        strict: Take every contradiction for an error, not only those that end the inference.

    Raises:
        ModelFileError: The shapes contradict each other.
    """
    try:
        return onnx.shape_inference.infer_shapes(
            skeleton(model), strict_mode=strict, data_prop=True
        )
    except onnx.shape_inference.InferenceError as error:
        raise ModelFileError(
            f"the shapes contradict each other: {one_line(error)}",
            next_step="Export the model again, and pin the sizes that it was made for",
        ) from error


def shapes_per_sample(model: onnx.ModelProto) -> dict[str, TensorShape]:
    """Shapes of all tensors of the main graph when one sample runs.

    A graph whose batch axis has a fixed size is left at that size; see :func:`fixed_batch`.

    Returns:
        By tensor name; a tensor whose shape is not known in full is absent.
    """
    bare = skeleton(model)
    _set_batch(bare.graph, {value.name for value in real_inputs(model.graph)})
    inferred = infer_shapes(bare)
    known = {
        tensor.name: TensorShape(tensor.data_type, tuple(tensor.dims))
        for tensor in inferred.graph.initializer
    }
    for value in _values(inferred.graph):
        shape = _static_shape(value)
        if shape is not None:
            known[value.name] = shape
    return known


def fixed_batch(model: onnx.ModelProto) -> int:
    """The size of a batch axis that is fixed: common to all inputs and outputs; else 1."""
    sizes = set()
    for value in (*real_inputs(model.graph), *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        sizes.add(dims[0].dim_value if dims and dims[0].HasField("dim_value") else 1)
    size = sizes.pop() if len(sizes) == 1 else 1
    return max(size, 1)


def dimension_name(dim: onnx.TensorShapeProto.Dimension) -> str:
    """The name of a dynamic axis; empty where it has none.

    >>> dimension_name(onnx.TensorShapeProto.Dimension(dim_param="?"))
    ''
    """
    return "" if dim.dim_param in _NO_NAMES else dim.dim_param


def rename_sizes(graph: onnx.GraphProto, sizes: Mapping[str, int]) -> None:
    """Give named axes a size, wherever the names occur in a graph. Changes ``graph``."""
    for value in _values(graph):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]


def _set_batch(graph: onnx.GraphProto, inputs: set[str]) -> None:
    names = {}
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in inputs or not dims:
            continue
        if dimension_name(dims[0]):
            names[dimension_name(dims[0])] = 1
        elif dims[0].dim_value <= 0:
            dims[0].dim_value = 1
    rename_sizes(graph, names)


def _values(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    yield from graph.input
    yield from graph.value_info
    yield from graph.output


def _static_shape(value: onnx.ValueInfoProto) -> TensorShape | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    if any(not dim.HasField("dim_value") or dim.dim_value < 0 for dim in tensor.shape.dim):
        return None
    return TensorShape(tensor.elem_type, tuple(dim.dim_value for dim in tensor.shape.dim))
