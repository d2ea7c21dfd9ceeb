"""Giving dynamic axes a size.

Rules:

1. An axis that is pinned gets its size wherever its name occurs: a name stands for one size.
2. The batch (a first axis with a name) stays free.
3. The model that was given is not changed.
4. Shapes of outputs that follow from the pinned axes become sizes too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

import onnx

from edgeworthy.errors import ModelFileError, UsageError
from edgeworthy.graph.quoting import quoted, quoted_list
from edgeworthy.graph.shapes import dimension_name, infer_shapes, real_inputs, rename_sizes
from edgeworthy.graph.signature import axis_name


def pin_axes(proto: onnx.ModelProto, pins: Mapping[str, Mapping[str, int]]) -> onnx.ModelProto:
    """A copy of a model in which dynamic axes have sizes.

    Args:
        proto: The model.
        pins: Size by axis name by input name; an axis without a name is ``axis_`` and its place.

    Returns:
        The copy; ``proto`` itself when there is nothing to pin.

    Raises:
        UsageError: An input or axis does not exist, is the batch, or gets two sizes.
        ModelFileError: With these sizes the shapes contradict each other.
    """
    if not any(pins.values()):
        return proto
    pinned = onnx.ModelProto()
    pinned.CopyFrom(proto)
    inputs = {value.name: value for value in real_inputs(pinned.graph)}
    batch_names = {_first_axis(value) for value in inputs.values()} - {""}
    sizes: dict[str, int] = {}
    for input_name, axes in pins.items():
        value = inputs.get(input_name)
        if value is None:
            raise _unknown("input", input_name, inputs)
        for axis, size in axes.items():
            _pin(value, axis, size, sizes, batch_names)
    rename_sizes(pinned.graph, sizes)
    _refresh_outputs(pinned, proto)
    return pinned


def _pin(
    value: onnx.ValueInfoProto,
    axis: str,
    size: int,
    sizes: dict[str, int],
    batch_names: set[str],
) -> None:
    """Note the size of a named axis in ``sizes``, or set that of a nameless one at once."""
    free = {
        dimension_name(dim) or axis_name(index): (index, dim)
        for index, dim in enumerate(value.type.tensor_type.shape.dim)
        if not dim.HasField("dim_value") or dim.dim_value < 0
    }
    where = f"input {quoted(value.name)}"
    if axis not in free:
        raise _unknown(f"dynamic axis of {where}", axis, free)
    index, dim = free[axis]
    if size < 1:
        raise UsageError("an axis needs at least one element", where=where, found=str(size))
    if index == 0 or axis in batch_names:
        raise UsageError(
            f"the axis {quoted(axis)} is the batch and stays free",
            where=where,
            next_step="Remove this pin",
        )
    name = dimension_name(dim)
    if sizes.get(name, size) != size:
        raise UsageError(
            f"the axis {quoted(axis)} is pinned to two sizes",
            where=where,
            found=f"{sizes[name]} and {size}",
            next_step="Give the same size to every axis of one name",
        )
    if name:
        sizes[name] = size
    else:
        dim.dim_value = size


def _first_axis(value: onnx.ValueInfoProto) -> str:
    dims = value.type.tensor_type.shape.dim
    return dimension_name(dims[0]) if dims else ""


def _refresh_outputs(pinned: onnx.ModelProto, original: onnx.ModelProto) -> None:
    try:
        inferred = infer_shapes(pinned, strict=True)
    except ModelFileError:
        # Some models that engines run fail the strict rules with or without pins.
        if _is_strict(original):
            raise
        inferred = infer_shapes(pinned)
    for output, known in zip(pinned.graph.output, inferred.graph.output, strict=True):
        output.CopyFrom(known)


def _is_strict(model: onnx.ModelProto) -> bool:
    try:
        infer_shapes(model, strict=True)
    except ModelFileError:
        return False
    return True


def _unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return UsageError(
        f"no {kind} is called {quoted(name)}",
        expected=f"one of {quoted_list(names)}" if names else "no pin",
        next_step=f"Write {quoted(near[0])}" if near else "Correct or remove the pin",
    )
