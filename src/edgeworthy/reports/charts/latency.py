"""How latency is distributed: the share of queries that were answered within a time.

One panel a variant, the original behind it in grey, drawn from the 101 quantiles that a
measurement keeps. The slowest percent is cut off, since one late query would squash all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.reports.charts.frame import ChartRow, framed, level_axis, plotted
from edgeworthy.reports.charts.labels import Box, place_labels
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import NARROW_PX, Token

_HEIGHT_PX = 150
_LEFT_PX = 42
_WIDTH_PX = NARROW_PX - _LEFT_PX - 10
_KEPT = 100
_HIGH, _LOW = 0.78, 0.22


@dataclass(frozen=True)
class LatencyCurve:
    """The latencies of one artefact.

    Attributes:
        label: Name of the variant.
        quantiles_ms: 101 quantiles from 0 to 100 percent.
        color: Of the variant.
    """

    label: str
    quantiles_ms: tuple[float, ...]
    color: Token


def latency_axis(curves: Sequence[LatencyCurve]) -> LinearAxis:
    """One axis for the panels that are to be compared."""
    figures = [curve.quantiles_ms[:_KEPT][-1] for curve in curves]
    return LinearAxis.around(figures, length_px=_WIDTH_PX, zero=True, margin=0.06)


def latency_chart(curves: Sequence[LatencyCurve], axis: LinearAxis) -> alt.LayerChart:
    """The panel of one variant.

    Args:
        curves: What stands behind first, the variant last.
        axis: From :func:`latency_axis`.
    """
    layers = [_line(curve, axis) for curve in curves] + _labels(curves, axis)
    return framed(layers, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)


def _line(curve: LatencyCurve, axis: LinearAxis) -> alt.Chart:
    count = max(len(curve.quantiles_ms) - 1, 1)
    rows: list[ChartRow] = [
        {"x": figure, "y": position / count}
        for position, figure in enumerate(curve.quantiles_ms[:_KEPT])
    ]
    x_axis = level_axis(title="ms", tickCount=5)
    y_axis = alt.Axis(
        values=[0, 0.5, 0.9, 1], format="~%", minExtent=_LEFT_PX - 6, maxExtent=_LEFT_PX - 6
    )
    layer: alt.Chart = (
        plotted(rows)
        .mark_line(strokeWidth=2, color=curve.color.light, interpolate="linear", clip=True)
        .encode(
            x=alt.X("x:Q", scale=axis.scale(), axis=x_axis),
            y=alt.Y("y:Q", scale=alt.Scale(domain=[0, 1.04], nice=False), axis=y_axis),
        )
    )
    return layer


def _labels(curves: Sequence[LatencyCurve], axis: LinearAxis) -> list[alt.Chart]:
    # The fastest is named at its left shoulder and the others at their right foot: those are
    # the corners that cumulative curves leave free.
    ranked = sorted(curves, key=lambda curve: _at(curve, 0.5))
    named = []
    for position, curve in enumerate(ranked):
        level = _HIGH if position == 0 and len(ranked) > 1 else _LOW
        x, y = axis.pixel(_at(curve, level)), level * _HEIGHT_PX
        named.append((curve.label, Box(x - 2, y - 2, x + 2, y + 2)))
    taken = [box for curve in curves for box in _trail(curve, axis)]
    boxes = place_labels(named, obstacles=taken, plot=Box(3, 3, _WIDTH_PX, _HEIGHT_PX))
    return [_label(curve, box, axis) for curve, box in zip(ranked, boxes, strict=True)]


def _label(curve: LatencyCurve, box: Box, axis: LinearAxis) -> alt.Chart:
    x, y = box.middle
    row: ChartRow = {"x": axis.figure(x), "y": y / _HEIGHT_PX * 1.04, "label": curve.label}
    layer: alt.Chart = (
        plotted([row])
        .mark_text(baseline="middle", color=curve.color.light)
        .encode(x="x:Q", y="y:Q", text="label:N")
    )
    return layer


def _at(curve: LatencyCurve, share: float) -> float:
    return curve.quantiles_ms[round(share * (len(curve.quantiles_ms) - 1))]


def _trail(curve: LatencyCurve, axis: LinearAxis) -> list[Box]:
    boxes = []
    for step in range(0, _KEPT, 4):
        share = step / _KEPT
        x, y = axis.pixel(_at(curve, share)), share / 1.04 * _HEIGHT_PX
        boxes.append(Box(x - 4, y - 4, x + 4, y + 4))
    return boxes
