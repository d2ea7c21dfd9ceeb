"""A figure over time, with the stretch in which it was down.

The axis of the figure begins at 0 where that helps to judge a fall; temperatures have no such zero
and get the range that they moved in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.reports.charts.frame import ChartRow, framed, level_axis, plotted
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import NARROW_PX, Token

_HEIGHT_PX = 120
_LEFT_PX = 52
_WIDTH_PX = NARROW_PX - _LEFT_PX - 10
#: More points than pixels only make a chart heavy.
_MOST_POINTS = 300
_KILO = 1000


@dataclass(frozen=True)
class TimeSeries:
    """One figure of a run.

    Attributes:
        times_s: ``(n,)``, in order.
        figures: ``(n,)``.
        color: Of the line.
        zero: Whether the axis begins at 0.
    """

    times_s: tuple[float, ...]
    figures: tuple[float, ...]
    color: Token
    zero: bool


@dataclass(frozen=True)
class Stretch:
    """A stretch of time to point out.

    Attributes:
        start_s: Beginning.
        end_s: End.
        color: Of the shade.
    """

    start_s: float
    end_s: float
    color: Token


def series_chart(lines: Sequence[TimeSeries], *, shaded: Stretch | None = None) -> alt.LayerChart:
    """Lines over one axis of time.

    Args:
        lines: On one axis of figures; one at least, with one point at least.
        shaded: The stretch to point out.
    """
    longest_s = max(line.times_s[-1] for line in lines)
    across = LinearAxis(low=0.0, high=longest_s or 1.0, length_px=_WIDTH_PX)
    up = LinearAxis.around(
        [figure for line in lines for figure in line.figures],
        length_px=_HEIGHT_PX,
        zero=any(line.zero for line in lines),
    )
    layers = [_shade(shaded, across)] if shaded else []
    layers += [_line(line, across, up) for line in lines]
    return framed(layers, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)


def _line(line: TimeSeries, across: LinearAxis, up: LinearAxis) -> alt.Chart:
    step = -(-len(line.times_s) // _MOST_POINTS)
    rows: list[ChartRow] = [
        {"x": time_s, "y": _mean(line.figures[first : first + step])}
        for first, time_s in zip(
            range(0, len(line.times_s), step), line.times_s[::step], strict=True
        )
    ]
    # Thousands get a letter; milli of a figure that has a unit already would confuse.
    form = "~s" if up.high >= _KILO else "~g"
    y_axis = alt.Axis(
        tickCount=4,
        minExtent=_LEFT_PX - 6,
        maxExtent=_LEFT_PX - 6,
        labelExpr=f"datum.value === 0 ? '0' : format(datum.value, '{form}')",
    )
    layer: alt.Chart = (
        plotted(rows)
        .mark_line(strokeWidth=1.5, color=line.color.light, interpolate="linear")
        .encode(
            x=alt.X("x:Q", scale=across.scale(), axis=level_axis(title="s", tickCount=6)),
            y=alt.Y("y:Q", scale=up.scale(), axis=y_axis),
        )
    )
    return layer


def _shade(stretch: Stretch, across: LinearAxis) -> alt.Chart:
    row: ChartRow = {"x": stretch.start_s, "x2": min(stretch.end_s, across.high)}
    layer: alt.Chart = (
        plotted([row]).mark_rect(color=stretch.color.light, opacity=0.12).encode(x="x:Q", x2="x2:Q")
    )
    return layer


def _mean(figures: Sequence[float]) -> float:
    return sum(figures) / len(figures)
