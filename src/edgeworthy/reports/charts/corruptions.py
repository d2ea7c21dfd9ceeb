"""Small multiples: one panel per corruption, the figure from as it is to the worst severity.

All panels share both axes, so that heights can be compared across them. The shade is the interval
of the variant; the original is drawn thin. A title has lines as wide as its panel.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt

from edgeworthy.documents.estimate import Estimate
from edgeworthy.reports.charts.frame import ChartRow, framed, plotted
from edgeworthy.reports.theme import INK, LINE, MUTED, NARROW_PX, ORIGINAL, Token

_PANEL_PX = 92
_HEIGHT_PX = 62
_TITLE_PX = 34
_LINE_PX = 12
_LINE_CHARACTERS = 16
_ROW_PX = _HEIGHT_PX + _TITLE_PX + 10
_COLUMNS = 3
_LEFT_PX = 26
_GAP_PX = 12
_STEPS = 5


@dataclass(frozen=True)
class CurvePoint:
    """The figure at one severity.

    Attributes:
        severity: 0 for the samples as they are.
        estimate: Of the variant.
        original: The original's value; absent when there is none beside it.
    """

    severity: int
    estimate: Estimate
    original: float | None


@dataclass(frozen=True)
class CorruptionPanel:
    """One corruption."""

    title: str
    points: tuple[CurvePoint, ...]


def corruption_chart(
    panels: Sequence[CorruptionPanel], *, range_: tuple[float, float], color: Token
) -> alt.LayerChart:
    """Panels in rows of three.

    Args:
        panels: At least one, in order.
        range_: Lowest and highest figure of all panels, for the axes.
        color: Of the variant.
    """
    rows = -(-len(panels) // _COLUMNS)
    grid = _Grid(rows * _ROW_PX, range_)
    layers: list[alt.Chart] = []
    titles: list[ChartRow] = []
    lines: list[ChartRow] = []
    labels: list[ChartRow] = []
    for position, panel in enumerate(panels):
        left, top = grid.corner(position)
        words = reversed(textwrap.wrap(panel.title, _LINE_CHARACTERS))
        titles += [
            {"x": left, "y": top + number * _LINE_PX, "label": line}
            for number, line in enumerate(words, start=1)
        ]
        for share in (0.0, 0.5, 1.0):
            figure = range_[0] + share * (range_[1] - range_[0])
            y = grid.y(top, figure)
            lines.append({"x": left, "x2": left + _PANEL_PX, "y": y})
            if position % _COLUMNS == 0:
                labels.append({"x": left - 5, "y": y, "label": f"{figure:.3g}"})
        layers += _panel(panel, grid, position, color)
    base = [
        grid.encoded(plotted(lines).mark_rule(color=LINE.light, strokeWidth=1)).encode(x2="x2:Q"),
        grid.text(labels, align="right", color=MUTED),
        grid.text(titles, align="left", color=INK),
    ]
    return framed(
        [*base, *layers],
        width_px=NARROW_PX,
        height_px=grid.height_px,
    )


@dataclass(frozen=True)
class _Grid:
    """Where panels lie, in pixels; y grows upward."""

    height_px: int
    range_: tuple[float, float]

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top of a panel's plot."""
        row, column = divmod(position, _COLUMNS)
        left = _LEFT_PX + column * (_PANEL_PX + _GAP_PX)
        return left, self.height_px - row * _ROW_PX - _TITLE_PX

    def y(self, top: float, figure: float) -> float:
        """Where a figure lies in a panel."""
        low, high = self.range_
        share = (figure - low) / ((high - low) or 1.0)
        return top - _HEIGHT_PX * (1 - min(max(share, 0.0), 1.0))

    def encoded(self, chart: alt.Chart) -> alt.Chart:
        """A layer placed by its own pixels."""
        placed: alt.Chart = chart.encode(
            x=alt.X("x:Q", scale=alt.Scale(domain=[0, NARROW_PX], nice=False), axis=None),
            y=alt.Y("y:Q", scale=alt.Scale(domain=[0, self.height_px], nice=False), axis=None),
        )
        return placed

    def text(
        self, rows: Sequence[ChartRow], *, align: Literal["left", "right"], color: Token
    ) -> alt.Chart:
        """Labels."""
        marked = plotted(rows).mark_text(
            align=align, baseline="middle", fontSize=11, color=color.light
        )
        return self.encoded(marked).encode(text="label:N")


def _panel(panel: CorruptionPanel, grid: _Grid, position: int, color: Token) -> list[alt.Chart]:
    left, top = grid.corner(position)

    def x(severity: int) -> float:
        return left + severity / _STEPS * _PANEL_PX

    shade: list[ChartRow] = [
        {
            "x": x(point.severity),
            "y": grid.y(top, point.estimate.low),
            "y2": grid.y(top, point.estimate.high),
        }
        for point in panel.points
    ]
    mine: list[ChartRow] = [
        {"x": x(point.severity), "y": grid.y(top, point.estimate.value)} for point in panel.points
    ]
    theirs: list[ChartRow] = [
        {"x": x(point.severity), "y": grid.y(top, point.original)}
        for point in panel.points
        if point.original is not None
    ]
    layers = [
        grid.encoded(plotted(shade).mark_area(color=color.light, opacity=0.18)).encode(y2="y2:Q"),
        grid.encoded(plotted(mine).mark_line(color=color.light, strokeWidth=2)),
        grid.encoded(plotted(mine).mark_circle(color=color.light, size=14, opacity=1)),
    ]
    if theirs:
        drawn = plotted(theirs).mark_line(color=ORIGINAL.light, strokeWidth=1.3, strokeDash=[3, 2])
        layers.append(grid.encoded(drawn))
    return layers
