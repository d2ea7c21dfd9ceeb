from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from edgeworthy.errors import (
    EdgeworthyError,
    InferenceError,
    MeasurementError,
    MissingExtraError,
    ModelFileError,
    StorageError,
    UsageError,
)
from edgeworthy.measurement.wire import (
    HEADER_BYTES,
    Failure,
    Load,
    MemoryRead,
    decode_reply,
    decode_request,
    encode_frame,
    error_of,
    failure_of,
    pack_tensors,
    unpack_tensors,
)


def test_a_frame_is_its_length_and_its_content() -> None:
    frame = encode_frame(MemoryRead(peak_memory_bytes=5))
    assert int.from_bytes(frame[:HEADER_BYTES], "big") == len(frame) - HEADER_BYTES
    assert decode_reply(frame[HEADER_BYTES:]) == MemoryRead(peak_memory_bytes=5)


def test_a_reply_is_no_request() -> None:
    body = encode_frame(MemoryRead(peak_memory_bytes=5))[HEADER_BYTES:]
    with pytest.raises(msgspec.ValidationError):
        decode_request(body)
    with pytest.raises(msgspec.ValidationError):
        decode_reply(encode_frame(Load(artifact="x", threads=1))[HEADER_BYTES:])


@given(
    st_numpy.arrays(
        dtype=st.one_of(st_numpy.floating_dtypes(), st_numpy.integer_dtypes()),
        shape=st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_tensors_arrive_as_they_were(tensor: NDArray[np.float64]) -> None:
    arrived = unpack_tensors(pack_tensors({"x": tensor.T}))["x"]
    assert arrived.dtype == tensor.dtype
    np.testing.assert_array_equal(arrived, tensor.T)
    assert arrived.flags.writeable
    assert arrived.flags.c_contiguous


def test_text_cannot_be_sent() -> None:
    with pytest.raises(MeasurementError, match="tensor `words`: cannot be sent"):
        pack_tensors({"words": np.array(["a"], dtype=object)})


@pytest.mark.parametrize(
    "kind", [ModelFileError, InferenceError, MeasurementError, MissingExtraError, UsageError]
)
def test_an_error_of_ours_arrives_as_the_same_kind(kind: type[EdgeworthyError]) -> None:
    sent = kind("broken", expected="this", found="that", where="child", next_step="Try again")
    arrived = error_of(failure_of(sent), where="float32 (m.onnx)")
    assert type(arrived) is kind
    assert str(arrived) == "float32 (m.onnx): broken. Expected this, found that. Try again."


def test_any_other_error_arrives_as_an_inference_error() -> None:
    arrived = error_of(failure_of(ZeroDivisionError("division by zero")), where="m")
    assert type(arrived) is InferenceError
    assert str(arrived) == "m: ZeroDivisionError: division by zero."
    assert type(error_of(failure_of(StorageError("full")), where="m")) is InferenceError


def test_a_failure_crosses_the_wire() -> None:
    failure = failure_of(ModelFileError("broken"))
    assert decode_reply(encode_frame(failure)[HEADER_BYTES:]) == failure
    assert isinstance(failure, Failure)
