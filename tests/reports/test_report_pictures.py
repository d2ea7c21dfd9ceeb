"""Sample pictures: the pixels come back from the PNG, odd samples give no picture."""

import base64
import io
import math
import re

import numpy as np
import pytest
from PIL import Image

from edgeworthy.documents.build import SamplePicture
from edgeworthy.reports.pictures import encode_png, picture


def sample(values: tuple[tuple[float, ...], ...], drawing: str = "image") -> SamplePicture:
    return SamplePicture(index=0, drawing=drawing, values=values)


def decoded(markup: str) -> np.ndarray:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', markup)
    assert found
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_a_grey_picture_is_the_sample() -> None:
    values = tuple(tuple(float(16 * y + x) for x in range(8)) for y in range(12))
    markup = picture(sample(values), description="<8>")
    assert np.array_equal(decoded(markup), np.array(values, dtype=np.uint8))
    assert 'alt="&lt;8&gt;"' in markup


def test_a_color_picture_is_a_square_of_pixels() -> None:
    pixels = tuple((float(n), 2.0 * n, 255.0) for n in range(16))
    seen = decoded(picture(sample(pixels), description="x"))
    assert seen.shape == (4, 4, 3)
    assert seen[1, 2].tolist() == [6, 12, 255]


def test_values_outside_a_byte_are_clipped() -> None:
    assert decoded(picture(sample(((-5.0, 300.0),)), description="x")).tolist() == [[0, 255]]


def test_a_large_picture_is_thinned() -> None:
    values = tuple(tuple(float(x % 256) for x in range(200)) for _ in range(100))
    assert decoded(picture(sample(values), description="x")).shape == (64, 64)


@pytest.mark.parametrize(
    "values",
    [(), ((),), ((1.0, 2.0), (1.0,)), ((math.nan, 1.0),), ((math.inf,),)],
)
def test_what_cannot_be_drawn_is_left_out(values: tuple[tuple[float, ...], ...]) -> None:
    assert picture(sample(values), description="x") == ""


def test_a_trace_has_a_line_per_channel() -> None:
    rows = tuple(tuple(math.sin(t / 9 + c) for t in range(500)) for c in range(10))
    markup = picture(sample(rows, "trace"), description="walk")
    assert markup.count("<polyline") == 8
    assert markup.count('class="series-1"') == 2
    assert len(markup) < 30_000
    for pair in re.findall(r"([\d.-]+),([\d.-]+)", markup):
        assert 0 <= float(pair[0]) <= 120
        assert 0 <= float(pair[1]) <= 64


def test_a_flat_or_empty_trace() -> None:
    assert "<polyline" in picture(sample(((3.0, 3.0, 3.0),), "trace"), description="x")
    assert picture(sample(((3.0,),), "trace"), description="x") == ""


def test_a_png_of_one_pixel() -> None:
    assert np.asarray(Image.open(io.BytesIO(encode_png([[7.0]], channels=1)))).tolist() == [[7]]
