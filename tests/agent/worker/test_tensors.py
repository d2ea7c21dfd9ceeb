"""Tensors of the protocol, in and out, against numpy and against bytes written by hand."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import ml_dtypes  # noqa: F401 - numpy knows more types with it, and none of them may leak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgeworthy.agent.worker.datatypes import NUMPY_NAMES, PROTOCOL_NAMES
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.agent.worker.tensor_answer import check_outputs, encode_answer
from edgeworthy.agent.worker.tensor_request import JSON_LENGTH, InferRequest, decode_request

some_arrays = st.sampled_from(sorted(PROTOCOL_NAMES)).flatmap(
    lambda name: arrays.arrays(
        np.dtype(name),
        arrays.array_shapes(max_dims=3, max_side=4, min_side=0),
        elements={"allow_nan": False, "allow_infinity": False} if "float" in name else None,
    )
)


def binary_request(
    tensors: dict[str, NDArray[Any]], **fields: object
) -> tuple[bytes, dict[str, str]]:
    """What a client of the binary tensor extension sends, written by hand."""
    inputs, tail = [], b""
    for name, values in tensors.items():
        data = values.astype(values.dtype.newbyteorder("<")).tobytes()
        inputs.append(
            {
                "name": name,
                "shape": list(values.shape),
                "datatype": PROTOCOL_NAMES[values.dtype.name],
                "parameters": {"binary_data_size": len(data)},
            }
        )
        tail += data
    text = json.dumps({"inputs": inputs, **fields}).encode()
    return text + tail, {JSON_LENGTH: str(len(text))}


def decode(value: object) -> InferRequest:
    return decode_request(memoryview(json.dumps(value).encode()), {})


def tensor(**changes: object) -> dict[str, object]:
    return {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2.5], **changes}


@given(st.lists(some_arrays, min_size=1, max_size=3))
def test_binary_tensors_arrive_as_they_were(values: list[NDArray[Any]]) -> None:
    tensors = {f"t{number}": each for number, each in enumerate(values)}
    body, headers = binary_request(tensors, id="7")
    request = decode_request(memoryview(body), headers)
    assert request.request_id == "7"
    for name, sent in tensors.items():
        assert request.inputs[name].dtype == sent.dtype
        np.testing.assert_array_equal(request.inputs[name], sent)


@given(some_arrays)
def test_json_tensors_arrive_as_they_were_flat_or_nested(values: NDArray[Any]) -> None:
    for data in (values.ravel().tolist(), values.tolist()):
        given_tensor = tensor(
            shape=list(values.shape), datatype=PROTOCOL_NAMES[values.dtype.name], data=data
        )
        found = decode({"inputs": [given_tensor]}).inputs["x"]
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)


@given(some_arrays, st.booleans())
def test_outputs_come_back_as_they_are(values: NDArray[Any], binary: bool) -> None:  # noqa: FBT001 - drawn
    request = InferRequest("id", {}, {"y": binary}, binary_outputs=False)
    answer = encode_answer({"y": values, "z": values}, request, name="m", version="1")
    text, *tail = answer.buffers
    said = json.loads(bytes(text))
    assert (said["id"], said["model_name"], said["model_version"]) == ("id", "m", "1")
    (described,) = said["outputs"]
    dtype = np.dtype(NUMPY_NAMES[described["datatype"]])
    if binary:
        assert answer.fields == {"Inference-Header-Content-Length": str(len(text))}
        data = b"".join(bytes(each) for each in tail)
        assert described["parameters"]["binary_data_size"] == len(data)
        found = np.frombuffer(data, dtype)
    else:
        found = np.array(described["data"], dtype)
    np.testing.assert_array_equal(found.reshape(described["shape"]), values)


def test_texts_come_and_go_in_both_forms() -> None:
    data = b"\x03\x00\x00\x00cat\x00\x00\x00\x00"
    text = json.dumps(
        {
            "inputs": [
                tensor(datatype="BYTES", data=["cat", ""]),
                {
                    "name": "y",
                    "shape": [2],
                    "datatype": "BYTES",
                    "parameters": {"binary_data_size": len(data)},
                },
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    request = decode_request(memoryview(text + data), {JSON_LENGTH: str(len(text))})
    assert request.inputs["x"].tolist() == request.inputs["y"].tolist() == [b"cat", b""]
    answer = encode_answer({"y": request.inputs["y"]}, request, name="m", version="1")
    assert bytes(answer.buffers[1]) == data


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datatype": "BF16"}, "no datatype `BF16`"),
        ({"shape": [3]}, "shape [3] takes 3 values, not 2"),
        ({"shape": [-2]}, "not a shape"),
        ({"shape": [1 << 60, 1 << 60]}, "not a shape"),
        ({"data": [1, "2"]}, "cannot be read"),
        ({"data": [1, None]}, "cannot be read"),
        ({"data": {"a": 1}}, "cannot be read"),
        ({"shape": [2, 2], "data": [[1, 2], [3]]}, "cannot be read"),
        ({"datatype": "UINT8", "data": [1, 256]}, "does not fit into UINT8"),
        ({"datatype": "INT64", "data": [1, 1 << 63]}, "does not fit into INT64"),
        ({"datatype": "INT32", "data": [1, 2.5]}, "cannot be read"),
        ({"datatype": "BOOL", "data": [1, 0]}, "cannot be read"),
        ({"datatype": "FP16", "data": [1, 1e6]}, "does not fit into FP16"),
        ({"datatype": "FP32", "data": [1, 1e39]}, "does not fit into FP32"),
        ({"parameters": {"binary_data_size": 8}}, "0 bytes are left"),
        ({"parameters": {"shared_memory_region": "a"}}, "no shared memory"),
    ],
)
def test_a_wrong_tensor_is_named_with_what_is_wrong(changes: dict[str, object], words: str) -> None:
    with pytest.raises(HttpRefused) as caught:
        decode({"inputs": [tensor(**changes)]})
    assert caught.value.status == 400
    assert words in caught.value.message
    assert "x" in caught.value.message


def test_data_that_is_missing_or_given_twice_is_refused() -> None:
    bare = {"name": "x", "shape": [2], "datatype": "FP32"}
    with pytest.raises(HttpRefused, match="neither"):
        decode({"inputs": [bare]})
    with pytest.raises(HttpRefused, match="given twice"):
        decode({"inputs": [tensor(), tensor()]})
    body, headers = binary_request({"x": np.zeros(2, np.float32)})
    with pytest.raises(HttpRefused, match="3 bytes after the last"):
        decode_request(memoryview(body + b"abc"), headers)
    with pytest.raises(HttpRefused, match="bytes are left"):
        decode_request(memoryview(body[:-1]), headers)
    for length in ("x", "-1", "9" * 9):
        with pytest.raises(HttpRefused, match="Content-Length"):
            decode_request(memoryview(body), {JSON_LENGTH: length})


def test_outputs_that_do_not_exist_or_cannot_be_written_are_refused() -> None:
    request = decode({"inputs": [tensor()], "outputs": [{"name": "nope"}]})
    with pytest.raises(HttpRefused, match="no output `nope`: `y`"):
        check_outputs(request, ("y",))
    with pytest.raises(HttpRefused, match="classes"):
        decode({"inputs": [], "outputs": [{"name": "y", "parameters": {"classification": 3}}]})
    with pytest.raises(HttpRefused, match="true or false"):
        decode({"inputs": [], "parameters": {"binary_data_output": "yes"}})
    endless = {"y": np.array([1.0, np.nan])}
    plain, binary = (InferRequest("", {}, {"y": form}, form) for form in (False, True))
    with pytest.raises(HttpRefused, match="not finite"):
        encode_answer(endless, plain, name="m", version="1")
    assert encode_answer(endless, binary, name="m", version="1").status == 200


@settings(max_examples=60)
@given(
    st.recursive(st.none() | st.integers() | st.text() | st.booleans(), st.lists, max_leaves=6),
    st.text(max_size=9),
)
def test_any_json_is_read_or_refused(value: object, key: str) -> None:
    for candidate in (value, {"inputs": value}, {"inputs": [tensor(data=value, name=key)]}):
        with contextlib.suppress(HttpRefused):
            decode(candidate)
