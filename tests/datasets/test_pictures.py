from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, sample_picture, sample_pictures
from edgeworthy.datasets.pictures import spectrogram
from edgeworthy.documents.build import SamplePicture
from edgeworthy.documents.project import DataSection

OpenSection = Callable[..., Dataset]


@pytest.fixture
def picture(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> Callable[..., SamplePicture]:
    def make(sample: NDArray[Any]) -> SamplePicture:
        write_npz(x=np.stack([np.zeros_like(sample), sample]), y=[0, 1])
        return sample_picture(open_section(DataSection(path="samples.npz")), 1)

    return make


Picture = Callable[[NDArray[Any]], SamplePicture]


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (1, 2, 3)])
def test_a_grey_image_is_stretched(picture: Picture, shape: tuple[int, ...]) -> None:
    drawn = picture(np.array([[0, 4, 8], [16, 12, 0]], np.float32).reshape(shape))
    assert drawn.index == 1
    assert drawn.drawing == "image"
    assert drawn.values == ((0.0, 64.0, 128.0), (255.0, 191.0, 0.0))


@pytest.mark.parametrize("first", [True, False])
def test_a_color_image_is_a_square_list_of_pixels(picture: Picture, first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    image = np.zeros((2, 4, 3), np.uint8)
    image[0, 0] = (255, 0, 0)
    drawn = picture(image.transpose(2, 0, 1) if first else image)
    assert drawn.drawing == "image"
    assert len(drawn.values) == 16
    assert drawn.values[0] == (255.0, 255.0, 255.0)
    assert drawn.values[4] == (255.0, 0.0, 0.0)


def test_a_large_image_becomes_small(picture: Picture) -> None:
    drawn = picture(np.arange(200 * 100).reshape(200, 100))
    assert (len(drawn.values), len(drawn.values[0])) == (64, 32)


def test_a_constant_image_is_no_error(picture: Picture) -> None:
    assert picture(np.ones((2, 2))).values == ((0.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize("shape", [(6, 100), (100, 6)])
def test_a_series_is_a_trace_per_channel(picture: Picture, shape: tuple[int, ...]) -> None:
    drawn = picture(np.random.default_rng(1).normal(size=shape))
    assert drawn.drawing == "trace"
    assert [len(row) for row in drawn.values] == [100] * 6


def test_figures_are_one_trace(picture: Picture) -> None:
    assert picture(np.array([1.0, 2.123456789])).values == ((1.0, 2.1235),)
    assert picture(np.array(7)).values == ((7.0,),)


def test_a_long_trace_keeps_its_peaks(picture: Picture) -> None:
    sound = np.zeros(16_000)
    sound[7_001], sound[7_002] = 1.0, -1.0
    (row,) = picture(sound).values
    assert len(row) == 240
    assert row[row.index(1.0) + 1] == -1.0


def test_decoded_images_keep_their_brightness(
    tmp_path: Path, open_section: OpenSection, write_image: Callable[[Path, NDArray[Any]], None]
) -> None:
    for name in ("cat", "dog"):
        write_image(tmp_path / "pets" / name / "1.png", np.full((2, 2, 1), 77, np.uint8))
    drawn = sample_picture(open_section(DataSection(path="pets")), 0)
    assert drawn.values == ((77.0, 77.0), (77.0, 77.0))


def test_a_table_of_series_is_drawn_by_its_columns(
    tmp_path: Path, open_section: OpenSection
) -> None:
    (tmp_path / "t.csv").write_text("s,a,b,label\n1,1,2,cat\n1,3,4,cat\n2,5,6,dog\n2,7,8,dog\n")
    drawn = sample_picture(open_section(DataSection(path="t.csv", series="s")), 0)
    assert (drawn.drawing, drawn.values) == ("trace", ((1.0, 3.0), (2.0, 4.0)))


def test_pictures_come_in_the_order_that_was_asked_for(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=np.arange(200.0).reshape(100, 2), y=[0, 1] * 50)
    dataset = open_section(DataSection(path="samples.npz"))
    drawn = sample_pictures(dataset, (80, 3, 80))
    assert [(p.index, p.values[0][0]) for p in drawn] == [(80, 160.0), (3, 6.0), (80, 160.0)]
    assert sample_pictures(dataset, ()) == ()
    for index in (-1, 100):
        with pytest.raises(IndexError):
            sample_picture(dataset, index)


def test_nine_channels_of_a_motion_sensor_are_traces(picture: Picture) -> None:
    drawn = picture(np.arange(128 * 9, dtype=np.float64).reshape(128, 9))
    assert drawn.drawing == "trace"


@pytest.mark.parametrize("shape", [(49, 10), (49, 10, 1), (10, 49)])
def test_features_of_sound_are_drawn_with_time_to_the_right(
    picture: Picture, shape: tuple[int, ...]
) -> None:
    features = np.zeros((49, 10))
    features[:, 0] = -300.0  # the level of the sound, which would hide all others
    features[30:, 1] = 8.0
    turned = features.T if shape[0] == 10 else features.reshape(shape)
    drawn = picture(turned)
    rows = np.array(drawn.values)
    assert drawn.drawing == "image"
    assert rows.shape == (40, 49)  # each coefficient four pixels high
    assert (rows[-4:] == rows[0, 0]).all()  # a level alone says nothing
    second = rows[-8:-4]
    assert (second[:, 30:] == 255.0).all()
    assert (second[:, :30] == 0.0).all()


def test_a_recording_is_drawn_as_a_spectrogram(
    tmp_path: Path, open_section: OpenSection, write_wav: Callable[..., None]
) -> None:
    time = np.arange(16_000) / 16_000
    chirp = np.sin(2 * np.pi * (200 * time + 3500 * time**2))  # 200 Hz to 7.2 kHz
    data = (chirp * 20_000).astype("<i2").tobytes()
    for name in ("cat", "dog"):
        write_wav(tmp_path / "sounds" / name / "a.wav", data, rate=16_000)
    drawn = sample_picture(open_section(DataSection(path="sounds")), 0)
    rows = np.array(drawn.values)
    assert drawn.drawing == "image"
    assert rows.shape == (48, 62)
    highest = rows.argmax(axis=0)  # from the top
    assert highest[2] > 40
    assert highest[-3] < 10
    assert (np.diff(highest[2:-2]) <= 1).all()


def test_what_is_too_short_for_a_spectrum_or_silent_has_none() -> None:
    assert spectrogram(np.ones(100), 16_000) is None
    assert spectrogram(np.zeros(16_000), 16_000) is None
