"""Does confidence mean what it says: share of right predictions against confidence.

A point on the diagonal is calibrated, one below it overconfident. The area of a point is
proportional to the predictions in its bin. Points are not joined: that would make a bin of one
prediction as bold as a bin of a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.documents.evaluation import ReliabilityBin
from edgeworthy.reports.charts.frame import ChartRow, framed, level_axis, plotted
from edgeworthy.reports.theme import MUTED, NARROW_PX, Token

_LEFT_PX = 42
_SIDE_PX = NARROW_PX - _LEFT_PX - 10
_TICKS = [0, 0.25, 0.5, 0.75, 1]
_LARGEST_AREA = 320.0
_LEAST_AREA = 20.0


@dataclass(frozen=True)
class ReliabilityCurve:
    """The bins of one artefact."""

    bins: tuple[ReliabilityBin, ...]
    color: Token


def reliability_chart(curves: Sequence[ReliabilityCurve]) -> alt.LayerChart:
    """The diagram; what stands behind first."""
    diagonal = (
        plotted([{"x": 0, "y": 0}, {"x": 1, "y": 1}])
        .mark_line(color=MUTED.light, strokeDash=[4, 3], strokeWidth=1)
        .encode(x=_axis_x(), y=_axis_y())
    )
    layers = [diagonal, *(_points(curve) for curve in curves)]
    return framed(
        layers,
        width_px=_SIDE_PX,
        height_px=round(_SIDE_PX * 0.8),
        title="share that was right",
        title_shift_px=_LEFT_PX,
    )


def _axis_x() -> alt.X:
    axis = level_axis(title="confidence", format="~%", values=_TICKS, grid=True, domain=False)
    return alt.X("x:Q", scale=alt.Scale(domain=[0, 1.02], nice=False), axis=axis)


def _axis_y() -> alt.Y:
    extent = _LEFT_PX - 6
    axis = alt.Axis(format="~%", values=_TICKS, minExtent=extent, maxExtent=extent)
    return alt.Y("y:Q", scale=alt.Scale(domain=[0, 1.04], nice=False), axis=axis)


def _points(curve: ReliabilityCurve) -> alt.Chart:
    filled = [entry for entry in curve.bins if entry.sample_count]
    largest = max((entry.sample_count for entry in filled), default=1)
    rows: list[ChartRow] = [
        {
            "x": entry.mean_confidence,
            "y": entry.accuracy,
            "area": max(_LARGEST_AREA * entry.sample_count / largest, _LEAST_AREA),
        }
        for entry in filled
    ]
    points: alt.Chart = (
        plotted(rows)
        .mark_point(
            shape="circle",
            color=curve.color.light,
            filled=True,
            opacity=1,
            fillOpacity=0.5,
            stroke=curve.color.light,
            strokeWidth=1.5,
        )
        .encode(x=_axis_x(), y=_axis_y(), size=alt.Size("area:Q", scale=None))
    )
    return points
