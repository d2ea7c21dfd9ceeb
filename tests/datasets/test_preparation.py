from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.datasets import Dataset, PreparedBatch, RawBatch, prepared_batches
from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.project import InputSection
from edgeworthy.errors import DatasetError, EdgeworthyError, ProjectFileError


class Memory(Dataset):
    """Arrays of one shape each, one after the other."""

    data_format = "memory"

    def __init__(
        self, *arrays: NDArray[Any], axes: str = "", name: str = "", rate: int | None = None
    ) -> None:
        self._arrays = arrays
        self._name = name
        self.axes = axes
        self.sample_rate_hz = rate

    def __len__(self) -> int:
        return sum(map(len, self._arrays))

    def batches(self, size: int) -> Iterator[RawBatch]:
        first = 0
        for array in self._arrays:
            for start in range(0, len(array), size):
                part = array[start : start + size]
                labels = np.arange(first, first + len(part))
                texts = tuple(str(label) for label in labels)
                yield RawBatch(first, {self._name: part}, labels, {"slice": texts})
                first += len(part)


def _signature(*shape: int | str, dtype: str = "float32", name: str = "x") -> ModelSignature:
    tensor = TensorSignature(name=name, dtype=dtype, shape=shape)
    return ModelSignature(inputs=(tensor,), outputs=())


def _prepare(
    dataset: Dataset, signature: ModelSignature, section: InputSection, size: int = 100
) -> list[PreparedBatch]:
    inputs = {"x": section}
    return list(prepared_batches(dataset, signature=signature, inputs=inputs, size=size))


def _one(dataset: Dataset, signature: ModelSignature, **section: object) -> NDArray[Any]:
    (batch,) = _prepare(dataset, signature, msgspec.convert(section, InputSection))
    return batch.inputs["x"]


def _refusal(dataset: Dataset, signature: ModelSignature, **section: object) -> str:
    with pytest.raises(EdgeworthyError) as error:
        _prepare(dataset, signature, msgspec.convert(section, InputSection))
    assert isinstance(error.value, DatasetError | ProjectFileError)
    return str(error.value)


IMAGES = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
GREY = IMAGES[..., :1]


def test_images_for_a_channels_first_model() -> None:
    values = _one(Memory(IMAGES, axes="HWC"), _signature("n", 3, 4, 5), layout="NCHW")
    np.testing.assert_array_equal(values, IMAGES.transpose(0, 3, 1, 2))
    assert values.dtype == np.float32
    assert values.flags.c_contiguous


def test_mean_and_std_per_channel() -> None:
    mean, std = (1.0, 2.0, 3.0), (0.5, 2.0, 4.0)
    expected = (IMAGES.astype(np.float64) - mean) / std
    section = {"layout": "NCHW", "mean": mean, "std": std}
    values = _one(Memory(IMAGES, axes="HWC"), _signature("n", 3, 4, 5), **section)
    np.testing.assert_allclose(values, expected.transpose(0, 3, 1, 2), rtol=1e-6)
    stored = np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))
    values = _one(Memory(stored), _signature("n", 3, 4, 5), **section)
    np.testing.assert_allclose(values, expected.transpose(0, 3, 1, 2), rtol=1e-6)


def test_one_mean_with_a_std_per_channel() -> None:
    series = np.ones((2, 3, 2))
    values = _one(
        Memory(series, axes="TC"), _signature("n", 3, 2), layout="NTC", mean=(0.5,), std=(1.0, 2.0)
    )
    np.testing.assert_array_equal(values, np.broadcast_to([0.5, 0.25], (2, 3, 2)))


def test_normalization_of_a_float64_model_keeps_its_precision() -> None:
    series = np.full((2, 3), 1e-9) + 1.0
    values = _one(Memory(series), _signature("n", 3, dtype="float64"), mean=(1.0,))
    np.testing.assert_allclose(values, 1e-9, rtol=1e-6)


@pytest.mark.parametrize("section", [{"mean": (1.0, 2.0)}, {"layout": "NHWC", "std": (1.0, 2.0)}])
def test_mean_and_std_must_fit_the_channels(section: dict[str, Any]) -> None:
    message = _refusal(Memory(IMAGES), _signature("n", 4, 5, 3), **section)
    assert "do not fit the channels. Expected an axis C of 2 channels" in message


@pytest.mark.parametrize(
    ("raw", "axes", "shape", "layout", "expected"),
    [
        (GREY, "HWC", (1, 4, 5), "NCHW", (2, 1, 4, 5)),
        (GREY, "HWC", (4, 5), "NHW", (2, 4, 5)),
        (GREY, "HWC", (4, 5, 3), "NHWC", (2, 4, 5, 3)),
        (GREY[..., 0], "", (4, 5, 1), "NHWC", (2, 4, 5, 1)),
        (GREY[..., 0], "", (1, 4, 5), "NCHW", (2, 1, 4, 5)),
        (np.ones((2, 9)), "T", (9,), "NT", (2, 9)),
        (np.ones((2, 9)), "T", (1, 9), "NCT", (2, 1, 9)),
        (np.ones((2, 9)), "T", (9, 1), "NTC", (2, 9, 1)),
        (np.ones((2, 9, 6)), "TC", (6, 9), "NCT", (2, 6, 9)),
        (np.ones((2, 9, 6)), "TC", (9, 6), "", (2, 9, 6)),
        (np.ones((2, 9)), "C", (9,), "NC", (2, 9)),
        (np.ones((2, 9)), "C", (9,), "", (2, 9)),
        (np.ones(2), "", (1,), "NC", (2, 1)),
    ],
)
def test_axes_are_arranged_by_their_letters(
    raw: NDArray[Any], axes: str, shape: tuple[int, ...], layout: str, expected: tuple[int, ...]
) -> None:
    section = {"layout": layout} if layout else {}
    values = _one(Memory(raw, axes=axes), _signature("n", *shape), **section)
    assert values.shape == expected


def test_grey_images_are_repeated_for_a_color_model() -> None:
    values = _one(Memory(GREY, axes="HWC"), _signature("n", 4, 5, 3), layout="NHWC")
    for channel in range(3):
        np.testing.assert_array_equal(values[..., channel], GREY[..., 0])


@pytest.mark.parametrize(
    ("raw", "axes", "shape", "section", "message"),
    [
        (IMAGES, "HWC", (3, 4, 5), {}, 'for example layout = "NCHW"'),
        (IMAGES, "HWC", (3, 8, 8), {"layout": "NCHW"}, 'Set resize = "bilinear"'),
        (IMAGES, "HWC", (1, 4, 5), {"layout": "NCHW"}, "Expected (1, 4, 5) per sample"),
        (IMAGES, "", (3, 4, 5), {"layout": "NCHW"}, "The axes seem to be in another order"),
        (IMAGES, "", (7,), {}, "Expected (7,) per sample, found (4, 5, 3)"),
        (IMAGES, "HWC", (4, 5), {"layout": "NHW"}, "Expected `NHWC` in some order, found `NHW`"),
        (np.ones((2, 9)), "T", (9,), {"layout": "NH"}, "Expected `NT` in some order"),
        (IMAGES, "HWC", (3, 4, 5), {"layout": "NCH"}, "Expected 4 letters for shape (n, 3, 4, 5)"),
        (IMAGES, "HWC", (3, 4, 5), {"layout": "NCHH"}, "one letter per axis"),
    ],
)
def test_what_does_not_fit_is_explained(
    raw: NDArray[Any], axes: str, shape: tuple[int, ...], section: dict[str, Any], message: str
) -> None:
    assert message in _refusal(Memory(raw, axes=axes), _signature("n", *shape), **section)


def test_a_wrong_shape_names_input_sample_and_both_shapes() -> None:
    message = _refusal(Memory(np.ones((2, 4)), np.ones((2, 5))), _signature("n", 4), layout="NC")
    assert message.startswith("input `x`, from sample 2: samples do not have the shape")
    assert "Expected (4,) per sample, found (5,)" in message


@pytest.mark.parametrize("resize", ["nearest", "bilinear", "bicubic"])
def test_images_of_any_size_are_resized_as_pillow_does(resize: str) -> None:
    wide = np.random.default_rng(1).integers(0, 256, (1, 9, 20, 3), dtype=np.uint8)
    values = _one(
        Memory(IMAGES, wide, axes="HWC"), _signature("n", 6, 8, 3), layout="NHWC", resize=resize
    )
    expected = Image.fromarray(wide[0]).resize((8, 6), getattr(Image.Resampling, resize.upper()))
    assert values.shape == (3, 6, 8, 3)
    np.testing.assert_array_equal(values[2], np.asarray(expected))


def test_deep_images_are_resized_without_losing_depth() -> None:
    deep = np.full((2, 4, 4, 1), 40_000, np.uint16)
    values = _one(
        Memory(deep, axes="HWC"), _signature("n", 8, 8, 1), layout="NHWC", resize="bilinear"
    )
    np.testing.assert_array_equal(values, np.full((2, 8, 8, 1), 40_000.0))


def test_a_pinned_axis_is_a_size() -> None:
    values = _one(
        Memory(IMAGES, axes="HWC"),
        _signature("n", "height", "width", 3),
        layout="NHWC",
        resize="nearest",
        pin={"height": 2, "width": 3},
    )
    assert values.shape == (2, 2, 3, 3)


def test_a_free_axis_takes_any_size_but_one() -> None:
    signature = _signature("n", "time")
    assert _one(Memory(np.ones((2, 7))), signature).shape == (2, 7)
    message = _refusal(Memory(np.ones((2, 7)), np.ones((2, 8))), signature)
    assert "samples for input `x` differ in shape" in message


@given(counts=st.lists(st.integers(1, 7), min_size=1, max_size=6), size=st.integers(1, 9))
def test_batches_have_the_size_that_was_asked_for(counts: list[int], size: int) -> None:
    total = sum(counts)
    values = np.arange(total * 2, dtype=np.float32).reshape(total, 2)
    parts = np.split(values, np.cumsum(counts)[:-1])
    batches = _prepare(Memory(*parts), _signature("n", 2), InputSection(), size)
    sizes = [len(batch.labels) for batch in batches]
    assert sizes == [size] * (total // size) + [total % size] * (total % size > 0)
    assert [batch.first for batch in batches] == list(range(0, total, size))
    np.testing.assert_array_equal(np.concatenate([b.inputs["x"] for b in batches]), values)
    assert [int(x) for batch in batches for x in batch.labels] == list(range(total))
    assert [x for batch in batches for x in batch.slices["slice"]] == list(map(str, range(total)))


def test_a_fixed_batch_axis_overrules() -> None:
    batches = _prepare(Memory(np.ones((4, 3))), _signature(2, 3), InputSection())
    assert [batch.inputs["x"].shape for batch in batches] == [(2, 3), (2, 3)]
    batches = _prepare(Memory(np.ones((4, 3))), _signature(3, 3), InputSection())
    assert [len(batch.labels) for batch in batches] == [3, 1]


@pytest.mark.parametrize(
    ("raw", "dtype", "expected"),
    [
        (np.array([[1.0, 2.0]]), "float16", [[1.0, 2.0]]),
        (np.array([[1, 255]]), "uint8", [[1, 255]]),
        (np.array([[True, False]]), "uint8", [[1, 0]]),
        (np.array([[1.0, -128.4]]), "int8", [[1, -128]]),
        (np.array([[0.0, 2.0]]), "bool", [[False, True]]),
        (np.array([[2**40, 1]]), "int64", [[2**40, 1]]),
    ],
)
def test_values_come_in_the_dtype_of_the_model(
    raw: NDArray[Any], dtype: str, expected: list[Any]
) -> None:
    values = _one(Memory(raw), _signature("n", 2, dtype=dtype))
    assert values.dtype == np.dtype(dtype)
    assert values.tolist() == expected


@pytest.mark.parametrize(
    ("raw", "dtype"),
    [
        (np.array([[256]]), "uint8"),
        (np.array([[-1]]), "uint8"),
        (np.array([[127.6]]), "int8"),
        (np.array([[1e39]]), "float32"),
        (np.array([[70_000]]), "float16"),
    ],
)
def test_values_that_do_not_fit_are_refused(raw: NDArray[Any], dtype: str) -> None:
    assert "values do not fit" in _refusal(Memory(raw), _signature("n", 1, dtype=dtype))


def test_a_dtype_that_is_no_number() -> None:
    message = _refusal(Memory(np.ones((2, 1))), _signature("n", 1, dtype="no-such"))
    assert "cannot be given as `no-such`" in message


def test_inputs_are_matched_by_name() -> None:
    values = _one(Memory(np.ones((2, 1)), name="x"), _signature("n", 1))
    assert values.shape == (2, 1)
    message = _refusal(Memory(np.ones((2, 1)), name="y"), _signature("n", 1))
    assert "no values for input `x`. Expected `x`, found `y`" in message
    tensors = tuple(TensorSignature(name=n, dtype="float32", shape=("n", 1)) for n in "ab")
    signature = ModelSignature(inputs=tensors, outputs=())
    with pytest.raises(DatasetError, match=r'inputs = \{ a = "\.\.\." \}'):
        list(prepared_batches(Memory(np.ones((2, 1))), signature=signature, inputs={}, size=1))


def test_a_declared_input_must_exist() -> None:
    sections: Mapping[str, InputSection] = {"inptu": InputSection()}
    with pytest.raises(ProjectFileError, match="Did you mean `input`"):
        list(
            prepared_batches(
                Memory(np.ones((2, 1))),
                signature=_signature("n", 1, name="input"),
                inputs=sections,
                size=1,
            )
        )


def test_the_sample_rate_must_be_the_declared_one() -> None:
    sound = Memory(np.ones((2, 9)), axes="T", rate=16_000)
    assert _one(sound, _signature("n", 9), layout="NT", sample_rate_hz=16_000).shape == (2, 9)
    message = _refusal(sound, _signature("n", 9), layout="NT", sample_rate_hz=8_000)
    assert "Expected 8000 Hz, found 16000 Hz" in message
