"""Running a model on all samples, and keeping what it said."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError, InferenceError, InputError
from edgeworthy.evaluation import Predictions, predict

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Batch:
    first: int
    inputs: Tensors
    labels: NDArray[Any]
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def batches(values: NDArray[np.float32], size: int) -> Iterator[Batch]:
    for first in range(0, len(values), size):
        part = values[first : first + size]
        sites = tuple("ab"[index % 2] for index in range(first, first + len(part)))
        yield Batch(first, {"x": part}, np.arange(first, first + len(part)), {"site": sites})


def double(inputs: Tensors) -> dict[str, NDArray[Any]]:
    return {"y": inputs["x"] * 2, "z": inputs["x"] * 3}


VALUES = np.arange(14, dtype=np.float32).reshape(7, 2)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_all_samples_are_predicted_in_order_whatever_the_batch(size: int) -> None:
    said = predict(double, batches(VALUES, size), output="y")
    assert np.array_equal(said.outputs, VALUES * 2)
    assert said.outputs.dtype == np.float32
    assert said.labels.tolist() == list(range(7))
    assert said.slices == {"site": ("a", "b", "a", "b", "a", "b", "a")}
    assert len(said) == 7


def test_the_first_output_is_judged_when_none_is_named() -> None:
    assert np.array_equal(predict(double, batches(VALUES, 4), output="").outputs, VALUES * 2)
    assert np.array_equal(predict(double, batches(VALUES, 4), output="z").outputs, VALUES * 3)


def test_an_engine_may_reuse_its_buffer() -> None:
    buffer = np.zeros((1, 2), dtype=np.float32)

    def run(inputs: Tensors) -> dict[str, NDArray[Any]]:
        buffer[:] = inputs["x"]
        return {"y": buffer}

    assert np.array_equal(predict(run, batches(VALUES, 1), output="y").outputs, VALUES)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(DatasetError) as caught:
        predict(double, [], output="")
    assert "no samples" in str(caught.value)


def test_an_unknown_output_is_named_with_those_that_exist() -> None:
    with pytest.raises(InferenceError) as caught:
        predict(double, batches(VALUES, 4), output="scores")
    assert "`y`, `z`" in str(caught.value)
    assert "`scores`" in str(caught.value)


def test_a_model_without_outputs_is_an_error() -> None:
    with pytest.raises(InferenceError) as caught:
        predict(lambda _: {}, batches(VALUES, 4), output="")
    assert "no outputs" in str(caught.value)


@pytest.mark.parametrize("shape", [(), (2,), (1, 3)])
def test_an_output_without_a_row_per_sample_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(InferenceError) as caught:
        predict(lambda _: {"y": np.zeros(shape)}, batches(VALUES, 4), output="y")
    assert "4 rows" in str(caught.value)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_names_the_first_sample(value: float) -> None:
    broken = VALUES.copy()
    broken[5, 1] = broken[6, 0] = value
    with pytest.raises(InferenceError) as caught:
        predict(double, batches(broken, 3), output="y")
    assert "sample 5" in str(caught.value)
    assert str(np.float32(value)) in str(caught.value)
    assert caught.value.code == "EW310"


def test_whole_number_outputs_are_fine() -> None:
    said = predict(lambda t: {"y": t["x"].astype(np.int64)}, batches(VALUES, 4), output="y")
    assert said.outputs.dtype == np.int64


@given(
    outputs=arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.int64]),
        arrays.array_shapes(min_dims=1, max_dims=4, max_side=4),
        elements=st.integers(-100, 100),
    ),
    data=st.data(),
)
def test_predictions_survive_the_disk(outputs: NDArray[Any], data: st.DataObject) -> None:
    n = len(outputs)
    texts = st.lists(st.text(max_size=5), min_size=n, max_size=n).map(tuple)
    slices = data.draw(st.dictionaries(st.text(max_size=5), texts, max_size=3))
    said = Predictions(outputs, np.arange(n), slices)
    encoded = said.to_npz_bytes()
    read = Predictions.from_npz_bytes(encoded, where="cache")
    assert np.array_equal(read.outputs, outputs)
    assert read.outputs.dtype == outputs.dtype
    assert read.labels.tolist() == list(range(n))
    assert read.slices == slices
    assert list(read.slices) == list(slices)
    assert read.to_npz_bytes() == encoded
    assert read.outputs_digest == said.outputs_digest


def test_numpy_itself_can_read_the_file() -> None:
    said = Predictions(VALUES, np.arange(7), {"site": (*"ababab", "c")})
    with np.load(io.BytesIO(said.to_npz_bytes()), allow_pickle=False) as archive:
        assert np.array_equal(archive["outputs"], VALUES)
        assert archive["slices"].tobytes() == b'[["site",["a","b","a","b","a","b","c"]]]'


def test_the_digest_sees_a_single_bit_and_the_shape_but_not_the_memory_layout() -> None:
    said = Predictions(VALUES, np.arange(7), {})
    flipped = VALUES.copy()
    flipped.view(np.uint32)[3, 1] ^= 1
    digests = {
        Predictions(some, np.arange(7), {}).outputs_digest
        for some in (VALUES, flipped, VALUES.reshape(7, 2, 1), VALUES.astype(np.float64))
    }
    assert len(digests) == 4
    fortran = Predictions(np.asfortranarray(VALUES), np.arange(7), {})
    big_endian = Predictions(VALUES.astype(">f4"), np.arange(7), {})
    assert fortran.outputs_digest == big_endian.outputs_digest == said.outputs_digest


def pickled() -> bytes:
    stream = io.BytesIO()
    np.savez(
        stream,
        outputs=np.array([{"a": 1}], dtype=object),
        labels=np.zeros(1),
        slices=np.frombuffer(b"[]", dtype=np.uint8),
    )
    return stream.getvalue()


def renamed(**arrays_by_name: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays_by_name)  # type: ignore[arg-type] # its stub takes no dict of arrays
    return stream.getvalue()


GOOD = Predictions(VALUES, np.arange(7), {"site": tuple("abababa")}).to_npz_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        GOOD[: len(GOOD) // 2],
        pickle.dumps(VALUES),
        pickled(),
        renamed(outputs=VALUES),
        renamed(outputs=VALUES, labels=np.arange(7), slices=np.zeros(3, dtype=np.uint8)),
        renamed(outputs=VALUES, labels=np.arange(6), slices=np.frombuffer(b"[]", dtype=np.uint8)),
    ],
    ids=["empty", "text", "cut", "pickle", "objects", "missing", "not JSON", "lengths"],
)
def test_another_file_is_an_error_that_names_it(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        Predictions.from_npz_bytes(data, where="cache/abc")
    assert str(caught.value).startswith("cache/abc: not a file of predictions")


def test_no_flipped_bit_crashes_the_reader() -> None:
    entries = zipfile.ZipFile(io.BytesIO(GOOD)).namelist()
    assert entries == ["outputs.npy", "labels.npy", "slices.npy"]
    for position in range(0, len(GOOD), 7):
        damaged = bytearray(GOOD)
        damaged[position] ^= 0x10
        try:
            Predictions.from_npz_bytes(bytes(damaged), where="cache")
        except InputError:
            continue


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DatasetError) as caught:
        Predictions(VALUES, np.arange(7), {"site": ("a",)})
    assert "[1, 7]" in str(caught.value)
