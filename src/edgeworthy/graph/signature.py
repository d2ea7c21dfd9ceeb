"""Inputs and outputs of a model.

Rules:

1. Only what a caller must give is an input: a graph input with an initializer is not.
2. Every input and output is a dense tensor of numbers with a known number of axes.
3. A dynamic axis goes by its name in the graph; one without a name is ``axis_`` and its place,
   counted from 0.
4. The first axis is the batch. It alone may stay dynamic.
"""

from __future__ import annotations

import json
import re

import numpy as np
import onnx
from onnx import helper

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.errors import ModelFileError
from edgeworthy.graph.quoting import quoted
from edgeworthy.graph.shapes import dimension_name, infer_shapes, real_inputs

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
#: Element types that numpy has itself and every engine takes.
_DTYPES = frozenset(
    {
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
    }
)


def axis_name(index: int) -> str:
    """The name of a dynamic axis that has none in the graph.

    >>> axis_name(2)
    'axis_2'
    """
    return f"axis_{index}"


def model_signature(proto: onnx.ModelProto) -> ModelSignature:
    """Inputs and outputs of a model, in the order of the graph.

    An output whose shape the graph does not state is looked up by shape inference.

    Raises:
        ModelFileError: There are none, or one is not a tensor of numbers of known rank.
    """
    inputs, outputs = real_inputs(proto.graph), list(proto.graph.output)
    for kind, values in (("inputs", inputs), ("outputs", outputs)):
        if not values:
            raise ModelFileError(
                f"the graph has no {kind}",
                next_step="Export the model for inference, with inputs and outputs",
            )
    if not all(value.type.tensor_type.HasField("shape") for value in outputs):
        outputs = list(infer_shapes(proto).graph.output)
    return ModelSignature(
        inputs=tuple(_tensor("input", value) for value in inputs),
        outputs=tuple(_tensor("output", value) for value in outputs),
    )


def dynamic_axes(signature: ModelSignature) -> list[tuple[str, str]]:
    """Input and axis name of every dynamic axis of the inputs that is not the batch."""
    return [
        (tensor.name, size)
        for tensor in signature.inputs
        for size in tensor.shape[1:]
        if isinstance(size, str)
    ]


def check_batch(signature: ModelSignature) -> None:
    """Refuse a model that does not count samples along the first axis of every input.

    Raises:
        ModelFileError: Names the input.
    """
    batch = {tensor.shape[0] for tensor in signature.inputs if tensor.shape} - {1}
    for tensor in signature.inputs:
        inner = next((size for size in tensor.shape[1:] if isinstance(size, str)), "")
        if not tensor.shape:
            found = "no axis at all"
        elif inner in batch:
            found = f"the batch {quoted(inner)} as axis {tensor.shape.index(inner)}"
        else:
            continue
        raise ModelFileError(
            f"the input {quoted(tensor.name)} does not count samples along its first axis",
            expected="the batch as the first axis of every input",
            found=found,
            next_step="Export the model with the batch first in every input; what is the same for "
            "all samples, such as a rate, becomes a constant of the model",
        )


def check_static(signature: ModelSignature) -> None:
    """Refuse a model whose inputs have dynamic axes besides the batch.

    Raises:
        ModelFileError: Names every such axis and how to pin it.
    """
    free = dynamic_axes(signature)
    if not free:
        return
    listed = ", ".join(f"{quoted(axis)} of input {quoted(name)}" for name, axis in free)
    name, axis = free[0]
    raise ModelFileError(
        "dynamic axes are not pinned",
        expected="a fixed size for each axis but the first, which is the batch",
        found=listed,
        next_step="Pin each in the project file, for example with "
        f"`[model.inputs.{_toml_key(name)}]` and `pin = {{ {_toml_key(axis)} = SIZE }}`",
    )


def _toml_key(name: str) -> str:
    """A name as a key of TOML, in quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name)


def _tensor(kind: str, value: onnx.ValueInfoProto) -> TensorSignature:
    where = f"{kind} {quoted(value.name)}"
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type":
        raise _refusal(where, "a tensor", value.type.WhichOneof("value") or "no type")
    if not tensor.HasField("shape"):
        raise _refusal(where, "a known number of axes", "no shape")
    shape = tuple(_size(where, index, dim) for index, dim in enumerate(tensor.shape.dim))
    return TensorSignature(name=value.name, dtype=_dtype(where, tensor.elem_type), shape=shape)


def _dtype(where: str, data_type: int) -> str:
    try:
        name = np.dtype(helper.tensor_dtype_to_np_dtype(data_type)).name
    except (KeyError, TypeError, ValueError):
        name = f"type {data_type}"
    if name not in _DTYPES:
        raise _refusal(where, "numbers of a type that numpy has", name.replace("object", "text"))
    return name


def _size(where: str, index: int, dim: onnx.TensorShapeProto.Dimension) -> int | str:
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        if dim.dim_value == 0:
            raise _refusal(where, "axes with at least one element", f"size 0 at axis {index}")
        return dim.dim_value
    # Old exporters write -1 for "unknown".
    return dimension_name(dim) or axis_name(index)


def _refusal(where: str, expected: str, found: str) -> ModelFileError:
    return ModelFileError(
        f"the {where} cannot be used",
        expected=expected,
        found=found,
        next_step="Export the model with plain numeric tensors as inputs and outputs",
    )
