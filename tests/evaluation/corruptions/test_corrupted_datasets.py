"""From a data set as it is stored to the same data set under a condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, RawBatch
from edgeworthy.documents.project import SampleKind
from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.corruptions import (
    Condition,
    CorruptedDataset,
    chosen_corruptions,
    corruptions_of,
    form_of,
)
from evaluation.corruptions.natural import SETS, pictures, sounds, walks


class Stored(Dataset):
    """Samples in memory."""

    def __init__(
        self, samples: NDArray[Any], axes: str = "", data_format: str = "npz", rate: int = 0
    ) -> None:
        self.samples = samples
        self.axes = axes
        self.data_format = data_format
        self.sample_rate_hz = rate or None

    def __len__(self) -> int:
        return len(self.samples)

    def batches(self, size: int) -> Iterator[RawBatch]:
        for first in range(0, len(self), size):
            part = self.samples[first : first + size]
            labels = np.arange(first, first + len(part))
            yield RawBatch(first, {"": part}, labels, {"site": ("a",) * len(part)})


def bytes_of(samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(samples * 255).astype(np.uint8)


WHAT_THEY_ARE: list[tuple[Stored, str, SampleKind, str]] = [
    (Stored(bytes_of(pictures(4, 9, 7, 3)), "HWC", "image-folder"), "", "image", "HWC"),
    (Stored(sounds(4, 400, 1)[..., 0], "T", "wav-folder", 16_000), "", "sound", "T"),
    (Stored(walks(4, 30, 6), "TC", "csv"), "", "series", "TC"),
    (Stored(walks(4, 30, 6)[:, 0], "C", "csv"), "", "table", "C"),
    (Stored(walks(4, 30, 6).transpose(0, 2, 1)), "CT", "series", "CT"),
    (Stored(pictures(4, 8, 8, 1)[..., 0]), "CHW", "image", "HW"),
    (Stored(pictures(4, 8, 8, 1)[..., 0]), "", "image", "HW"),
    (Stored(pictures(4, 9, 7, 3).transpose(0, 3, 1, 2)), "CHW", "image", "CHW"),
    (Stored(walks(4, 49, 10)[..., None].astype(np.int8)), "HWC", "features", "TF1"),
]


@pytest.mark.parametrize(("stored", "layout", "kind", "axes"), WHAT_THEY_ARE)
def test_what_samples_are_is_told_from_how_they_are_stored(
    stored: Stored, layout: str, kind: SampleKind, axes: str
) -> None:
    form, _ = form_of(stored, name="", layout=layout)
    assert (form.kind, form.axes) == (kind, axes)


@pytest.mark.parametrize(("stored", "layout", "kind", "axes"), WHAT_THEY_ARE)
def test_opened_and_closed_again_nothing_has_changed(
    stored: Stored, layout: str, kind: SampleKind, axes: str
) -> None:
    form, _ = form_of(stored, name="", layout=layout, kind=kind)
    assert len(form.axes) == len(axes)
    back = form.closed(form.opened(stored.samples), stored.samples)
    assert back.dtype == stored.samples.dtype
    np.testing.assert_allclose(back, stored.samples, atol=1e-6)


@pytest.mark.parametrize(("stored", "layout", "kind", "axes"), WHAT_THEY_ARE)
def test_every_corruption_of_the_kind_keeps_how_samples_are_stored(
    stored: Stored, layout: str, kind: SampleKind, axes: str
) -> None:
    form, facts = form_of(stored, name="", layout=layout)
    assert form.axes == axes
    channels = form.opened(stored.samples).shape[-1]
    for corruption in corruptions_of(kind):
        if channels < corruption.least_channels:
            continue
        whole, single = (
            CorruptedDataset(stored, form, facts, Condition(corruption, 4, 1)).batches(size)
            for size in (4, 1)
        )
        (batch,) = whole
        assert batch.inputs[""].dtype == stored.samples.dtype
        assert batch.inputs[""].shape == stored.samples.shape
        assert batch.labels.tolist() == [0, 1, 2, 3]
        assert batch.slices == {"site": ("a",) * 4}
        one_by_one = np.concatenate([each.inputs[""] for each in single])
        np.testing.assert_array_equal(one_by_one, batch.inputs[""])


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (pictures(4, 8, 8, 1), 0.0, 1.0),
        (pictures(40, 8, 8, 1) * 16, 0.0, 16.0),
        (bytes_of(pictures(4, 8, 8, 1)), 0.0, 255.0),
        (pictures(40, 8, 8, 1) * 2 - 1, -1.0, 1.0),
    ],
)
def test_the_range_of_pictures_is_found(values: NDArray[Any], low: float, high: float) -> None:
    form, _ = form_of(Stored(values), name="", layout="HWC")
    assert form.low == pytest.approx(low, abs=0.1 * high)
    assert form.high == pytest.approx(high, rel=0.25)


def test_what_cannot_be_told_is_asked() -> None:
    with pytest.raises(ProjectFileError, match="it cannot be told what the samples are"):
        form_of(Stored(np.zeros((3, 4, 5, 6, 7))), name="", layout="")


def test_a_kind_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProjectFileError, match="do not have the axes of table samples"):
        form_of(Stored(SETS["image"]["8x8 gray"]), name="", layout="HWC", kind="table")


def test_corruptions_are_chosen_by_name_and_by_group() -> None:
    names = [each.name for each in chosen_corruptions("image", ("camera", "fog"))]
    assert "sensor_noise" in names
    assert "fog" in names
    assert "snow" not in names
    left = [each.name for each in chosen_corruptions("image", (), leave_out=("weather", "jpeg"))]
    assert not {"fog", "snow", "frost", "rain", "jpeg"} & set(left)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ProjectFileError, match="there is no corruption `fogg` of image samples"):
        chosen_corruptions("image", ("fogg",))


@given(
    st.sampled_from(["uint8", "int8", "int16", "float32", "float64"]),
    st.sampled_from(["HWC", "CHW", "HW", "WHC"]),
)
def test_any_dtype_and_order_of_axes_comes_back(dtype: str, axes: str) -> None:
    sizes = {"H": 6, "W": 5, "C": 3}
    generator = np.random.default_rng(0)
    values = generator.uniform(0, 100, (3, *(sizes[letter] for letter in axes))).astype(dtype)
    form, _ = form_of(Stored(values), name="", layout=axes, kind="image")
    back = form.closed(form.opened(values), values)
    assert back.dtype == values.dtype
    np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-3)
