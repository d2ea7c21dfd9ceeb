"""Quality against latency against size: one bubble a variant, with both intervals.

The area of a bubble is proportional to the size of the file. Bounds that the project sets on
either axis are drawn where they fall near the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.documents.estimate import Estimate
from edgeworthy.reports.charts.frame import (
    ChartRow,
    dashed_rule,
    framed,
    level_axis,
    plotted,
)
from edgeworthy.reports.charts.labels import Box, place_labels, text_width_px
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import FONT_PX, INK, Token

_LARGEST_AREA = 700.0
_LEAST_AREA = 30.0
_RADIUS_PX = 14.0
_LEFT_PX, _TOP_PX, _BOTTOM_PX = 44, 26, 40
#: A bound farther away than this many times the figures' own range would squash them.
_FAR = 1.5


@dataclass(frozen=True)
class TradeoffPoint:
    """One variant on one target.

    Attributes:
        label: Its name and size.
        quality: Figure of the metric.
        latency_ms: Figure of the percentile.
        size_kib: Size of the file.
        color: Of the variant.
        chosen: Whether it is the one that was decided on.
    """

    label: str
    quality: Estimate
    latency_ms: Estimate
    size_kib: float
    color: Token
    chosen: bool


@dataclass(frozen=True)
class TradeoffAxes:
    """What the axes are called and which bounds lie on them.

    Attributes:
        quality_title: For example ``accuracy``.
        latency_title: For example ``p90 latency, ms``.
        quality_bounds: Bounds of the project on the metric.
        latency_bounds_ms: Bounds of the project on the percentile.
    """

    quality_title: str
    latency_title: str
    quality_bounds: tuple[float, ...] = ()
    latency_bounds_ms: tuple[float, ...] = ()


def tradeoff_chart(
    points: Sequence[TradeoffPoint], axes: TradeoffAxes, *, width_px: int, height_px: int
) -> alt.LayerChart:
    """The chart, ``width_px`` by ``height_px`` with its labels."""
    plot_width, plot_height = width_px - _LEFT_PX - 4, height_px - _TOP_PX - _BOTTOM_PX
    latency = LinearAxis.around(
        _with_near_bounds(
            [end for p in points for end in (p.latency_ms.low, p.latency_ms.high)],
            axes.latency_bounds_ms,
            base=0.0,
        ),
        length_px=plot_width,
        zero=True,
        margin=0.1,
    )
    qualities = [end for p in points for end in (p.quality.low, p.quality.high)]
    quality = LinearAxis.around(
        _with_near_bounds(qualities, axes.quality_bounds, base=min(qualities)),
        length_px=plot_height,
        margin=0.14,
    )
    layers = [
        *_bounds(axes, latency, quality),
        _intervals(points, axes, latency, quality),
        _bubbles(points),
        *_labels(points, latency, quality, _bound_boxes(axes, latency, quality)),
    ]
    return framed(
        layers,
        width_px=plot_width,
        height_px=plot_height,
        title=axes.quality_title,
        title_shift_px=_LEFT_PX,
    )


def _with_near_bounds(
    figures: Sequence[float], bounds: Sequence[float], *, base: float
) -> list[float]:
    reach = (max(figures) - base) or abs(max(figures)) or 1.0
    low, high = base - _FAR * reach, max(figures) + _FAR * reach
    return [*figures, *(bound for bound in bounds if low <= bound <= high)]


def _x(axis: LinearAxis, field: str, title: str) -> alt.X:
    shown = level_axis(title=title, tickCount=max(int(axis.length_px // 80), 3))
    return alt.X(f"{field}:Q", scale=axis.scale(), axis=shown)


def _y(axis: LinearAxis, field: str) -> alt.Y:
    shown = alt.Axis(
        tickCount=5, minExtent=_LEFT_PX - 8, maxExtent=_LEFT_PX - 8, title=None, format="~r"
    )
    return alt.Y(f"{field}:Q", scale=axis.scale(), axis=shown)


def _intervals(
    points: Sequence[TradeoffPoint], axes: TradeoffAxes, latency: LinearAxis, quality: LinearAxis
) -> alt.Chart:
    rows: list[ChartRow] = []
    for point in points:
        x, y = point.latency_ms, point.quality
        color = point.color.light
        rows += [
            {"x": x.low, "x2": x.high, "y": y.value, "y2": y.value, "color": color},
            {"x": x.value, "x2": x.value, "y": y.low, "y2": y.high, "color": color},
        ]
    layer: alt.Chart = (
        plotted(rows)
        .mark_rule(strokeWidth=1.5)
        .encode(
            x=_x(latency, "x", axes.latency_title),
            x2="x2:Q",
            y=_y(quality, "y"),
            y2="y2:Q",
            color=alt.Color("color:N", scale=None),
        )
    )
    return layer


def _bubbles(points: Sequence[TradeoffPoint]) -> alt.Chart:
    largest = max(point.size_kib for point in points) or 1.0
    rows: list[ChartRow] = [
        {
            "x": point.latency_ms.value,
            "y": point.quality.value,
            "area": max(_LARGEST_AREA * point.size_kib / largest, _LEAST_AREA),
            "color": point.color.light,
            "opacity": 0.85 if point.chosen else 0.22,
        }
        for point in points
    ]
    layer: alt.Chart = (
        plotted(rows)
        .mark_point(shape="circle", filled=True, strokeWidth=1.5, opacity=1)
        .encode(
            x="x:Q",
            y="y:Q",
            size=alt.Size("area:Q", scale=None),
            fill=alt.Fill("color:N", scale=None),
            stroke=alt.Stroke("color:N", scale=None),
            fillOpacity=alt.FillOpacity("opacity:Q", scale=None),
        )
    )
    return layer


def _labels(
    points: Sequence[TradeoffPoint], latency: LinearAxis, quality: LinearAxis, taken: Sequence[Box]
) -> list[alt.Chart]:
    ranked = sorted(points, key=lambda point: not point.chosen)
    boxes = place_labels(
        [(point.label, _extent(point, latency, quality)) for point in ranked],
        obstacles=taken,
        plot=Box(2, 2, latency.length_px, quality.length_px),
    )
    layers = []
    for point, box in zip(ranked, boxes, strict=True):
        x, y = box.middle
        row: ChartRow = {"x": latency.figure(x), "y": quality.figure(y), "label": point.label}
        mark = plotted([row]).mark_text(
            baseline="middle",
            color=point.color.light,
            fontWeight="bold" if point.chosen else "normal",
        )
        layers.append(mark.encode(x="x:Q", y="y:Q", text="label:N"))
    return layers


def _extent(point: TradeoffPoint, latency: LinearAxis, quality: LinearAxis) -> Box:
    x = latency.pixel(point.latency_ms.value)
    low, high = quality.pixel(point.quality.low), quality.pixel(point.quality.high)
    return Box(x - _RADIUS_PX, low, x + _RADIUS_PX, high)


def _bounds(axes: TradeoffAxes, latency: LinearAxis, quality: LinearAxis) -> list[alt.Chart]:
    layers: list[alt.Chart] = []
    for bound in filter(quality.holds, axes.quality_bounds):
        row: ChartRow = {"y": bound, "x": latency.low, "label": f"bound {bound:g}"}
        text = plotted([row]).mark_text(
            align="left", baseline="bottom", dx=2, dy=-3, color=INK.light
        )
        layers += [
            dashed_rule([row]).encode(y="y:Q"),
            text.encode(x="x:Q", y="y:Q", text="label:N"),
        ]
    for bound in filter(latency.holds, axes.latency_bounds_ms):
        row = {"x": bound, "y": quality.low, "label": f"bound {bound:g}"}
        text = plotted([row]).mark_text(
            align="right", baseline="bottom", dx=-4, dy=-4, color=INK.light
        )
        layers += [
            dashed_rule([row]).encode(x="x:Q"),
            text.encode(x="x:Q", y="y:Q", text="label:N"),
        ]
    return layers


def _bound_boxes(axes: TradeoffAxes, latency: LinearAxis, quality: LinearAxis) -> list[Box]:
    right = latency.length_px
    words = text_width_px("bound 0.000")
    boxes = []
    for bound in filter(quality.holds, axes.quality_bounds):
        y = quality.pixel(bound)
        boxes += [Box(0, y - 1, right, y + 1), Box(0, y, words, y + FONT_PX + 4)]
    for bound in filter(latency.holds, axes.latency_bounds_ms):
        x = latency.pixel(bound)
        boxes += [Box(x - 1, 0, x + 1, quality.length_px), Box(x - words, 0, x, FONT_PX + 6)]
    return boxes
