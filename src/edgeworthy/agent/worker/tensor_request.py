"""An inference request of the Open Inference Protocol, as tensors.

Rules:

1. Values come as JSON (flat in row-major order, or nested as the shape says) or as raw
   little-endian bytes behind the JSON, in the order of the inputs.
2. Shape, number of values and data type agree, or the client hears which input and what was
   expected. Nothing is cut, wrapped around or filled up.
3. What cannot be done is refused, not ignored: shared memory, unknown outputs.

Source: https://github.com/kserve/open-inference-protocol, and the binary tensor data extension of
https://github.com/triton-inference-server/server/tree/main/docs/protocol.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.datatypes import BYTES, NUMPY_NAMES
from edgeworthy.agent.worker.http_head import HttpRefused

#: Header field with the length of the JSON in front of binary tensors.
JSON_LENGTH = "inference-header-content-length"
_MOST_AXES = 32
_LARGEST_AXIS = 1 << 40
_TEXT_LENGTH_BYTES = 4

Parameters = dict[str, Any]


class _InputTensor(msgspec.Struct, frozen=True):
    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _RequestedOutput(msgspec.Struct, frozen=True):
    name: str
    parameters: Parameters | None = None


class _InferRequest(msgspec.Struct, frozen=True):
    inputs: list[_InputTensor]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[_RequestedOutput] | None = None


@dataclass(frozen=True, slots=True)
class InferRequest:
    """A request, checked as far as it can be without the model.

    Attributes:
        request_id: The client's name for it; empty without one.
        inputs: Tensors by name; texts and pictures are arrays of ``bytes`` objects.
        outputs: Names of the outputs that were asked for, each with whether it is to be binary;
            ``None`` for all.
        binary_outputs: Whether outputs are binary where nothing else is said.
    """

    request_id: str
    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, bool] | None
    binary_outputs: bool


_DECODER = msgspec.json.Decoder(_InferRequest)
_FLOATS = msgspec.json.Decoder(list[float])
_INTEGERS = msgspec.json.Decoder(list[int])
_BOOLEANS = msgspec.json.Decoder(list[bool])
_TEXTS = msgspec.json.Decoder(list[str])


def decode_request(body: memoryview, headers: Mapping[str, str]) -> InferRequest:
    """Read a request.

    Args:
        body: Unpacked.
        headers: By name in small letters.

    Raises:
        HttpRefused: One of the rules is broken.
    """
    text, tail = _split(body, headers.get(JSON_LENGTH))
    try:
        request = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpRefused(400, f"not an inference request: {error}") from error
    _refuse_shared_memory(request)
    inputs = dict(_tensors(request.inputs, tail))
    if len(inputs) != len(request.inputs):
        raise HttpRefused(400, "an input is given twice")
    binary = _flag(request.parameters, "binary_data_output", default=False)
    return InferRequest(
        request_id=request.id or "",
        inputs=inputs,
        outputs=_outputs(request.outputs, binary=binary),
        binary_outputs=binary,
    )


def _split(body: memoryview, stated: str | None) -> tuple[memoryview, memoryview]:
    if stated is None:
        return body, body[:0]
    if not (stated.isascii() and stated.isdecimal()) or len(stated) > len(str(len(body))):
        raise HttpRefused(400, "Inference-Header-Content-Length is not a length of this body")
    length = int(stated)
    if length > len(body):
        raise HttpRefused(
            400, f"Inference-Header-Content-Length is {length}, and the body has {len(body)} bytes"
        )
    return body[:length], body[length:]


def _tensors(inputs: list[_InputTensor], tail: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    first = 0
    for tensor in inputs:
        count = _value_count(tensor)
        size = (tensor.parameters or {}).get("binary_data_size")
        if size is None:
            yield tensor.name, _from_json(tensor, count)
            continue
        if type(size) is not int or size < 0 or first + size > len(tail):
            raise _refused(
                tensor, f"binary_data_size is {size!r}, and {len(tail) - first} bytes are left"
            )
        if tensor.data is not msgspec.UNSET:
            raise _refused(tensor, "it has both `data` and `binary_data_size`")
        yield tensor.name, _from_bytes(tensor, tail[first : first + size], count)
        first += size
    if first != len(tail):
        raise HttpRefused(400, f"{len(tail) - first} bytes after the last binary tensor")


def _value_count(tensor: _InputTensor) -> int:
    if tensor.datatype != BYTES and tensor.datatype not in NUMPY_NAMES:
        known = ", ".join([*NUMPY_NAMES, BYTES])
        raise _refused(tensor, f"no datatype `{tensor.datatype[:40]}`: one of {known}")
    if len(tensor.shape) > _MOST_AXES or not all(0 <= n <= _LARGEST_AXIS for n in tensor.shape):
        raise _refused(tensor, f"not a shape: {tensor.shape[:8]}")
    return math.prod(tensor.shape)


def _from_bytes(tensor: _InputTensor, data: memoryview, count: int) -> NDArray[Any]:
    if tensor.datatype == BYTES:
        return _texts(tensor, list(_length_prefixed(tensor, data)), count)
    dtype = np.dtype(NUMPY_NAMES[tensor.datatype]).newbyteorder("<")
    if count * dtype.itemsize != len(data):
        raise _refused(
            tensor,
            f"shape {tensor.shape} of {tensor.datatype} takes {count * dtype.itemsize} bytes, "
            f"and {len(data)} are given",
        )
    values: NDArray[Any] = np.frombuffer(data, dtype)
    if dtype.kind == "b":
        values = np.frombuffer(data, np.uint8) != 0
    if not values.flags.aligned or not values.dtype.isnative:
        values = values.astype(dtype.newbyteorder("="))
    return values.reshape(tensor.shape)


def _length_prefixed(tensor: _InputTensor, data: memoryview) -> Iterator[bytes]:
    first = 0
    while first < len(data):
        size = int.from_bytes(data[first : first + _TEXT_LENGTH_BYTES], "little")
        first += _TEXT_LENGTH_BYTES
        if first + size > len(data):
            raise _refused(tensor, "an element is longer than the bytes that are left")
        yield bytes(data[first : first + size])
        first += size


def _from_json(tensor: _InputTensor, count: int) -> NDArray[Any]:
    if tensor.data is msgspec.UNSET:
        raise _refused(tensor, "it has neither `data` nor `binary_data_size`")
    values = _values(tensor, tensor.data)
    if len(values) != count:
        raise _refused(tensor, f"shape {tensor.shape} takes {count} values, not {len(values)}")
    if tensor.datatype == BYTES:
        return _texts(tensor, [text.encode() for text in values], count)
    dtype = np.dtype(NUMPY_NAMES[tensor.datatype])
    try:
        with np.errstate(over="raise"):
            array = np.array(values, dtype)
    except (OverflowError, FloatingPointError) as error:
        raise _refused(tensor, f"a value does not fit into {tensor.datatype}") from error
    return array.reshape(tensor.shape)


def _values(tensor: _InputTensor, data: msgspec.Raw) -> list[Any]:
    decoder = _decoder(tensor.datatype)
    try:
        flat: list[Any] = decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        flattened = _flattened(data, tensor.shape) if tensor.shape[1:] else None
        if flattened is None:
            raise _refused(tensor, f"its data cannot be read: {error}") from error
        try:
            flat = msgspec.convert(flattened, decoder.type)
        except msgspec.ValidationError as problem:
            raise _refused(tensor, f"its data cannot be read: {problem}") from problem
    return flat


def _flattened(data: msgspec.Raw, shape: list[int]) -> list[Any] | None:
    """Nested lists as one; ``None`` where the nesting is not that of the shape."""
    try:
        rows = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(rows, list) or len(rows) != shape[0]:
        return None
    for size in shape[1:]:
        if not all(isinstance(row, list) and len(row) == size for row in rows):
            return None
        rows = [value for row in rows for value in row]
    return rows


def _decoder(datatype: str) -> msgspec.json.Decoder[Any]:
    if datatype.startswith("FP"):
        return _FLOATS
    if datatype == BYTES:
        return _TEXTS
    return _BOOLEANS if datatype == "BOOL" else _INTEGERS


def _texts(tensor: _InputTensor, elements: list[bytes], count: int) -> NDArray[Any]:
    if len(elements) != count:
        raise _refused(tensor, f"shape {tensor.shape} takes {count} elements, not {len(elements)}")
    array = np.empty(count, object)
    array[:] = elements
    return array.reshape(tensor.shape)


def _outputs(
    requested: list[_RequestedOutput] | None, *, binary: bool
) -> Mapping[str, bool] | None:
    if not requested:
        return None
    for output in requested:
        if (output.parameters or {}).get("classification"):
            raise HttpRefused(
                400, f"output `{output.name}`: ask for `NAME.raw` to get classes, not for scores"
            )
    return {each.name: _flag(each.parameters, "binary_data", default=binary) for each in requested}


def _refuse_shared_memory(request: _InferRequest) -> None:
    for tensor in (*request.inputs, *(request.outputs or ())):
        if "shared_memory_region" in (tensor.parameters or {}):
            raise HttpRefused(400, f"`{tensor.name}`: this server has no shared memory regions")


def _flag(parameters: Parameters | None, name: str, *, default: bool) -> bool:
    value = (parameters or {}).get(name, default)
    if not isinstance(value, bool):
        raise HttpRefused(400, f"the parameter `{name}` is true or false, not {value!r}"[:200])
    return value


def _refused(tensor: _InputTensor, problem: str) -> HttpRefused:
    return HttpRefused(400, f"input `{tensor.name[:100]}`: {problem}")
