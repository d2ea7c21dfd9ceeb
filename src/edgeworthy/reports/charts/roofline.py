"""Operators against the limits of the machine, both axes logarithmic.

To the left of a roof's knee data cannot be brought along fast enough, to the right of it the
arithmetic is the limit. How far a point lies below its roof is what could be won.

Source: Williams, Waterman and Patterson, Communications of the ACM 52 (2009) 65-76.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.reports.charts.frame import ChartRow, framed, level_axis, plotted
from edgeworthy.reports.charts.labels import Box, place_labels, text_width_px
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import NARROW_PX, Token

_HEIGHT_PX = 200
_LEFT_PX = 46
_WIDTH_PX = NARROW_PX - _LEFT_PX - 10
_DOT_PX = 4
#: From a roof to the middle of its label.
_ROOF_LABEL_PX = 11


@dataclass(frozen=True)
class Roof:
    """What one kind of arithmetic can reach.

    Attributes:
        label: For example ``float32``.
        peak_gmacs_per_s: Its largest rate.
        bandwidth_gb_per_s: Of the memory that feeds it.
        color: Of the line.
    """

    label: str
    peak_gmacs_per_s: float
    bandwidth_gb_per_s: float
    color: Token


@dataclass(frozen=True)
class RoofPoint:
    """One operator.

    Attributes:
        label: Its name.
        macs_per_byte: Its arithmetic intensity.
        gmacs_per_s: What it reached.
        color: Of its kind of arithmetic.
    """

    label: str
    macs_per_byte: float
    gmacs_per_s: float
    color: Token


def roofline_chart(roofs: Sequence[Roof], points: Sequence[RoofPoint]) -> alt.LayerChart:
    """The roofs and the operators below them.

    Args:
        roofs: One at least.
        points: One at least.
    """
    knees = [roof.peak_gmacs_per_s / roof.bandwidth_gb_per_s for roof in roofs]
    across = _decades([*(point.macs_per_byte for point in points), *knees], _WIDTH_PX)
    rates = [
        *(point.gmacs_per_s for point in points),
        *(roof.peak_gmacs_per_s for roof in roofs),
    ]
    up = _decades(rates, _HEIGHT_PX)
    layers = [_roof(roof, across, up) for roof in roofs]
    layers += [_dots(points, across, up), *_labels(roofs, points, across, up)]
    return framed(layers, width_px=_WIDTH_PX, height_px=_HEIGHT_PX, title="GMAC/s")


def _decades(figures: Sequence[float], length_px: float) -> LinearAxis:
    """Whole powers of ten around the figures, as their logarithms."""
    logs = [math.log10(figure) for figure in figures]
    low, high = math.floor(min(logs) - 0.1), math.ceil(max(logs) + 0.1)
    return LinearAxis(low=low, high=high, length_px=length_px)


def _axis(axis: LinearAxis, *, title: str = "") -> alt.Axis:
    values = list(range(int(axis.low), int(axis.high) + 1))
    return level_axis(
        title=title,
        values=values,
        labelExpr="format(pow(10, datum.value), datum.value < 0 ? '~r' : ',.0f')",
        grid=True,
    )


def _roof(roof: Roof, across: LinearAxis, up: LinearAxis) -> alt.Chart:
    peak = math.log10(roof.peak_gmacs_per_s)
    bandwidth = math.log10(roof.bandwidth_gb_per_s)
    # On the slope the rate is intensity times bandwidth; it enters the plot at its foot or side.
    start = max(across.low, up.low - bandwidth)
    corners = [(start, start + bandwidth), (peak - bandwidth, peak), (across.high, peak)]
    rows: list[ChartRow] = [{"x": x, "y": y} for x, y in corners]
    layer: alt.Chart = (
        plotted(rows)
        .mark_line(strokeWidth=2, color=roof.color.light, interpolate="linear", clip=True)
        .encode(
            x=alt.X("x:Q", scale=across.scale(), axis=_axis(across, title="MAC per byte")),
            y=alt.Y("y:Q", scale=up.scale(), axis=_axis(up)),
        )
    )
    return layer


def _dots(points: Sequence[RoofPoint], across: LinearAxis, up: LinearAxis) -> alt.Chart:
    rows: list[ChartRow] = [
        {"x": math.log10(p.macs_per_byte), "y": math.log10(p.gmacs_per_s), "c": p.color.light}
        for p in points
    ]
    layer: alt.Chart = (
        plotted(rows)
        .mark_circle(size=46, opacity=1)
        .encode(
            x=alt.X("x:Q", scale=across.scale(), axis=_axis(across, title="MAC per byte")),
            y=alt.Y("y:Q", scale=up.scale(), axis=_axis(up)),
            color=alt.Color("c:N", scale=None),
        )
    )
    return layer


def _labels(
    roofs: Sequence[Roof], points: Sequence[RoofPoint], across: LinearAxis, up: LinearAxis
) -> list[alt.Chart]:
    named = [
        (p.label, _box(math.log10(p.macs_per_byte), math.log10(p.gmacs_per_s), across, up))
        for p in points
    ]
    taken = [box for roof in roofs for box in _trail(roof, across, up)]
    above = [_roof_label(roof, roofs, up) for roof in roofs]
    plot = Box(3, 3, _WIDTH_PX, _HEIGHT_PX)
    boxes = place_labels(named, obstacles=[*taken, *above], plot=plot)
    texts = [*(point.label for point in points), *(roof.label for roof in roofs)]
    colors = [*(point.color for point in points), *(roof.color for roof in roofs)]
    return [
        _label(text, box, color, across, up)
        for text, box, color in zip(texts, [*boxes, *above], colors, strict=True)
    ]


def _roof_label(roof: Roof, roofs: Sequence[Roof], up: LinearAxis) -> Box:
    """At the right end of a roof: over the highest, under the others, so that none is mistaken."""
    y = up.pixel(math.log10(roof.peak_gmacs_per_s))
    is_highest = roof.peak_gmacs_per_s == max(each.peak_gmacs_per_s for each in roofs)
    middle = y + _ROOF_LABEL_PX if is_highest else y - _ROOF_LABEL_PX
    width = text_width_px(roof.label)
    right = _WIDTH_PX - _DOT_PX
    return Box(right - width, middle - _DOT_PX, right, middle + _DOT_PX)


def _box(x: float, y: float, across: LinearAxis, up: LinearAxis) -> Box:
    px, py = across.pixel(x), up.pixel(y)
    return Box(px - _DOT_PX, py - _DOT_PX, px + _DOT_PX, py + _DOT_PX)


def _trail(roof: Roof, across: LinearAxis, up: LinearAxis) -> list[Box]:
    peak, bandwidth = math.log10(roof.peak_gmacs_per_s), math.log10(roof.bandwidth_gb_per_s)
    pixels = range(0, _WIDTH_PX, 6)
    return [
        _box(across.figure(px), min(across.figure(px) + bandwidth, peak), across, up)
        for px in pixels
    ]


def _label(text: str, box: Box, color: Token, across: LinearAxis, up: LinearAxis) -> alt.Chart:
    x, y = box.middle
    row: ChartRow = {"x": across.figure(x), "y": up.figure(y), "label": text}
    layer: alt.Chart = (
        plotted([row])
        .mark_text(baseline="middle", color=color.light)
        .encode(x="x:Q", y="y:Q", text="label:N")
    )
    return layer
