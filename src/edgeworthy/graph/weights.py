"""Stored tensors: whether their data fit their shapes and are numbers.

Rules:

1. The declared shape is held against the stored bytes before anything is decoded, so that a
   declared size never allocates memory.
2. A NaN among the weights is refused. An infinity is refused too, unless the tensor only feeds
   operators in which an infinity is a bound or a mask.
3. One tensor is decoded at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.quoting import quoted
from edgeworthy.graph.tensors import (
    element_bits,
    element_count,
    graphs_of,
    is_external,
    nodes_of,
    packed_bytes,
    sparse_tensors,
    stored_tensors,
)

#: Operators to whom an infinity is a bound (Clip), a mask (Where) or passed on to one.
_BOUNDED_BY_INFINITY = frozenset(
    {"Clip", "Where", "Max", "Min", "Pad", "ConstantOfShape", "Expand", "Slice", "Trilu", "Cast"}
)
_FLOATING: frozenset[int] = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.DOUBLE,
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.COMPLEX64,
        TensorProto.COMPLEX128,
        TensorProto.FLOAT8E4M3FN,
        TensorProto.FLOAT8E4M3FNUZ,
        TensorProto.FLOAT8E5M2,
        TensorProto.FLOAT8E5M2FNUZ,
        TensorProto.FLOAT8E8M0,
    }
)
_TYPED_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.COMPLEX64: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.COMPLEX128: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.STRING: "string_data",
}
_FIELDS = (
    "float_data",
    "int32_data",
    "string_data",
    "int64_data",
    "double_data",
    "uint64_data",
)
_EXPORT_AGAIN = "Export the model again"
_BITS_PER_BYTE = 8


def check_sizes(model: onnx.ModelProto, *, where: Path, limit_bytes: int) -> None:
    """Hold the declared shape of every stored tensor against its data.

    Args:
        model: External data may still be outside; they are checked with their files.
        where: The model file.
        limit_bytes: Most bytes of a sparse tensor when written out.

    Raises:
        ModelFileError: A size is negative, absurd, or not that of the data.
    """
    for name, tensor in stored_tensors(model):
        _check_size(name, tensor, where)
    for sparse in sparse_tensors(model):
        size_bytes = packed_bytes(math.prod(sparse.dims), sparse.values.data_type)
        if min(sparse.dims, default=0) < 0 or size_bytes > limit_bytes:
            raise ModelFileError(
                f"the sparse tensor {quoted(sparse.values.name)} declares an absurd shape",
                where=str(where),
                found=str(list(sparse.dims)[:8]),
                next_step=_EXPORT_AGAIN,
            )


def check_finite(model: onnx.ModelProto, *, where: Path) -> None:
    """Refuse weights that are not numbers; external data must have been loaded.

    Raises:
        ModelFileError: A weight is NaN or infinite; names the tensor and the count.
    """
    bounds: frozenset[str] | None = None
    for name, tensor in stored_tensors(model):
        if tensor.data_type not in _FLOATING:
            continue
        nan_count, infinite_count = _not_finite(numpy_helper.to_array(tensor))
        if not nan_count and not infinite_count:
            continue
        if bounds is None:
            bounds = frozenset(_bounds(model))
        if nan_count or name not in bounds:
            raise ModelFileError(
                f"{nan_count} NaN and {infinite_count} infinite values in {quoted(name)}",
                where=str(where),
                expected="finite weights",
                next_step="Train again from a checkpoint before the loss diverged",
            )


def _check_size(name: str, tensor: TensorProto, where: Path) -> None:
    count = element_count(tensor)
    if count < 0:
        found, expected = f"the shape {list(tensor.dims)[:8]}", "sizes that are not negative"
    elif tensor.data_type != TensorProto.STRING and not element_bits(tensor.data_type):
        found, expected = f"data type {tensor.data_type}", "a data type that we know"
    elif is_external(tensor):
        return
    else:
        stored, wanted = _stored_and_wanted(tensor, count)
        if stored == wanted:
            return
        found = f"{stored} for the shape {list(tensor.dims)[:8]}"
        expected = str(wanted)
    raise ModelFileError(
        f"the data of {quoted(name)} do not fit its shape",
        where=str(where),
        expected=expected,
        found=found,
        next_step=_EXPORT_AGAIN,
    )


def _stored_and_wanted(tensor: TensorProto, count: int) -> tuple[str, str]:
    """What is stored and what the shape asks for, as text that is equal when they agree."""
    filled = [field for field in _FIELDS if len(getattr(tensor, field))]
    if tensor.HasField("raw_data"):
        if filled or tensor.data_type == TensorProto.STRING:
            return "data in two fields or the wrong one", "data in one field"
        wanted = packed_bytes(count, tensor.data_type)
        return f"{len(tensor.raw_data)} bytes", f"{wanted} bytes"
    field = _TYPED_FIELDS.get(tensor.data_type, "int32_data")
    if filled not in ([], [field]):
        return f"data in {', '.join(filled)}", f"data in {field}"
    return f"{len(getattr(tensor, field))} values", f"{_entries(tensor, count)} values"


def _entries(tensor: TensorProto, count: int) -> int:
    """Entries of the typed field: complex numbers take two, types below a byte share one."""
    if tensor.data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        return 2 * count
    if 0 < element_bits(tensor.data_type) < _BITS_PER_BYTE:
        return packed_bytes(count, tensor.data_type)
    return count


def _not_finite(values: NDArray[Any]) -> tuple[int, int]:
    finite = np.isfinite(values)
    if finite.all():
        return 0, 0
    nan_count = int(np.count_nonzero(np.isnan(values)))
    return nan_count, int(values.size - np.count_nonzero(finite)) - nan_count


def _bounds(model: onnx.ModelProto) -> Iterator[str]:
    """Names of tensors that only feed operators in which an infinity has a meaning."""
    harmful = {
        name
        for node in nodes_of(model)
        if node.op_type not in _BOUNDED_BY_INFINITY
        for name in node.input
    }
    harmful.update(value.name for graph in graphs_of(model) for value in graph.output)
    harmful.update(name for function in model.functions for name in function.output)
    yield from (name for name, _ in stored_tensors(model) if name not in harmful)
