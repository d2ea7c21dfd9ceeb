"""Quality per slice: a dot and its interval for the chosen variant, the original beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.documents.estimate import Estimate
from edgeworthy.reports.charts.frame import dashed_rule, framed, level_axis, plotted
from edgeworthy.reports.charts.labels import text_width_px
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import INK, NARROW_PX, Token

_ROW_PX = 26
_DODGE_PX = 5
_MOST_LABEL_PX = 120


@dataclass(frozen=True)
class SliceDot:
    """One figure of one slice.

    Attributes:
        row: What the row is called.
        estimate: The figure.
        color: Of the variant.
        chosen: Drawn filled and below the other.
    """

    row: str
    estimate: Estimate
    color: Token
    chosen: bool


def slice_chart(dots: Sequence[SliceDot], *, bound: float | None = None) -> alt.LayerChart:
    """Rows in the order of ``dots``.

    Args:
        dots: All figures of one slice column.
        bound: A bound that holds for every row, drawn as a line.
    """
    rows = list(dict.fromkeys(dot.row for dot in dots))
    left = min(max(text_width_px(row) for row in rows) + 10, _MOST_LABEL_PX)
    width = NARROW_PX - left - 10
    figures = [end for dot in dots for end in (dot.estimate.low, dot.estimate.high)]
    axis = LinearAxis.around(figures if bound is None else [*figures, bound], length_px=width)
    layers = [*_bound(bound, axis)]
    for chosen in (False, True):
        kept = [dot for dot in dots if dot.chosen is chosen]
        if kept:
            layers += _layer(kept, rows, axis, left)
    return framed(layers, width_px=width, height_px=_ROW_PX * len(rows))


def _layer(
    dots: Sequence[SliceDot], rows: Sequence[str], axis: LinearAxis, left: float
) -> list[alt.Chart]:
    chosen = dots[0].chosen
    base = plotted(
        [
            {
                "row": dot.row,
                "low": dot.estimate.low,
                "value": dot.estimate.value,
                "high": dot.estimate.high,
            }
            for dot in dots
        ]
    )
    y_axis = alt.Axis(
        grid=False, labelColor=INK.light, labelLimit=left, minExtent=left, maxExtent=left
    )
    x_axis = level_axis(tickCount=4, format="~r", grid=True, domain=False)
    y = alt.Y(
        "row:N",
        sort=list(rows),
        scale=alt.Scale(domain=list(rows), paddingInner=0, paddingOuter=0),
        axis=y_axis,
    )
    x = alt.X("low:Q", scale=axis.scale(), axis=x_axis)
    shift = _DODGE_PX if chosen else -_DODGE_PX
    color = dots[0].color.light
    return [
        base.mark_rule(strokeWidth=1.5, color=color, yOffset=shift).encode(x=x, x2="high:Q", y=y),
        base.mark_point(
            shape="circle",
            filled=True,
            opacity=1,
            color=color,
            size=50 if chosen else 30,
            yOffset=shift,
        ).encode(x="value:Q", y=y),
    ]


def _bound(bound: float | None, axis: LinearAxis) -> list[alt.Chart]:
    if bound is None:
        return []
    return [dashed_rule([{"x": bound}]).encode(x=alt.X("x:Q", scale=axis.scale()))]
