"""Raw samples as tiny pictures: PNG in a data address, or a trace as SVG.

Rules:

1. The picture is the sample: no smoothing, values outside 0..255 are clipped.
2. A sample that cannot be drawn (empty, ragged, not finite) gives no picture and no error: the
   report's words stand without it.
3. A picture stays small: an image is thinned to 64 pixels a side, a trace to 240 points and eight
   channels.

Source: PNG (Portable Network Graphics) Specification, third edition, W3C.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence

from markupsafe import Markup, escape

from edgeworthy.documents.build import SamplePicture

Rows = Sequence[Sequence[float]]

_MOST_PIXELS = 64
_MOST_POINTS = 240
_MOST_CHANNELS = 8
_TRACE_WIDTH = 120
_TRACE_HEIGHT = 64
_COLORS = 6
_GREY, _RGB = 0, 2
_PIXEL = 3


def picture(sample: SamplePicture, *, description: str) -> Markup:
    """The sample as an ``img`` or ``svg`` element; empty when it cannot be drawn."""
    rows = sample.values
    if not rows or not rows[0] or not all(math.isfinite(x) for row in rows for x in row):
        return Markup()
    if sample.drawing == "trace":
        return _trace(rows, description)
    if len({len(row) for row in rows}) > 1:
        return Markup()
    side = math.isqrt(len(rows))
    if len(rows[0]) == _PIXEL and side > 1 and side * side == len(rows):
        pixels = [rows[y * side : (y + 1) * side] for y in range(side)]
        return _image(_thinned_rgb(pixels), side_channels=_PIXEL, description=description)
    grid = [[row[x] for x in _steps(len(row), _MOST_PIXELS)] for row in _thinned(rows)]
    return _image(grid, side_channels=1, description=description)


def _thinned(rows: Rows) -> list[Sequence[float]]:
    return [rows[y] for y in _steps(len(rows), _MOST_PIXELS)]


def _thinned_rgb(pixels: Sequence[Rows]) -> list[list[float]]:
    kept = _steps(len(pixels), _MOST_PIXELS)
    return [[value for x in kept for value in pixels[y][x]] for y in kept]


def _steps(length: int, most: int) -> list[int]:
    if length <= most:
        return list(range(length))
    return [index * length // most for index in range(most)]


def _image(rows: Rows, *, side_channels: int, description: str) -> Markup:
    data = base64.b64encode(encode_png(rows, channels=side_channels)).decode("ascii")
    return Markup('<img class="sample" src="data:image/png;base64,{}" alt="{}">').format(
        data, description
    )


def encode_png(rows: Rows, *, channels: int) -> bytes:
    """An 8-bit PNG.

    Args:
        rows: Shape ``(height, width * channels)``, values in 0..255.
        channels: 1 for grey, 3 for RGB.
    """
    height, width = len(rows), len(rows[0]) // channels
    color = _RGB if channels == _PIXEL else _GREY
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(min(max(round(x), 0), 255) for x in row) for row in rows)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _trace(rows: Rows, description: str) -> Markup:
    drawn = [row for row in rows if len(row) > 1][:_MOST_CHANNELS]
    if not drawn:
        return Markup()
    low = min(min(row) for row in drawn)
    high = max(max(row) for row in drawn)
    lines = Markup().join(
        Markup('<polyline class="series-{}" points="{}"/>').format(
            channel % _COLORS + 1, _points(row, low, high)
        )
        for channel, row in enumerate(drawn)
    )
    return Markup(
        '<svg class="sample trace" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(_TRACE_WIDTH, _TRACE_HEIGHT, escape(description), lines)


def _points(row: Sequence[float], low: float, high: float) -> str:
    kept = [row[index] for index in _steps(len(row), _MOST_POINTS)]
    across = _TRACE_WIDTH / (len(kept) - 1)
    up = (_TRACE_HEIGHT - 2) / ((high - low) or 1)
    return " ".join(
        f"{index * across:.1f},{_TRACE_HEIGHT - 1 - (value - low) * up:.1f}"
        for index, value in enumerate(kept)
    )
