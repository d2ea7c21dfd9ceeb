"""Where the time of a query goes from bytes to answer: one bar per artefact, a piece per stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from edgeworthy.reports.charts.frame import ChartRow, framed, level_axis, plotted
from edgeworthy.reports.charts.labels import text_width_px
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.theme import INK, NARROW_PX, SERIES, Token

_ROW_PX = 34
_BAR_PX = 18
_MOST_LABEL_PX = 120
#: In the order of the stages.
STAGE_COLORS: tuple[Token, ...] = (SERIES[0], SERIES[1], SERIES[3], SERIES[2])


@dataclass(frozen=True)
class StageBar:
    """One artefact.

    Attributes:
        label: Its name.
        stages_ms: Time of each stage, in their order.
    """

    label: str
    stages_ms: tuple[float, ...]


def stage_chart(bars: Sequence[StageBar]) -> alt.LayerChart:
    """Bars in their order, from the top.

    Args:
        bars: One at least.
    """
    labels = [bar.label for bar in bars]
    left = min(max(text_width_px(label) for label in labels) + 10, _MOST_LABEL_PX)
    width = NARROW_PX - left - 10
    wholes = [sum(bar.stages_ms) for bar in bars]
    axis = LinearAxis.around(wholes, length_px=width, zero=True, margin=0.04)
    layers = [
        _layer(bars, position, color, axis, left) for position, color in enumerate(STAGE_COLORS)
    ]
    return framed(layers, width_px=width, height_px=_ROW_PX * len(bars))


def _layer(
    bars: Sequence[StageBar], position: int, color: Token, axis: LinearAxis, left: float
) -> alt.Chart:
    rows: list[ChartRow] = [
        {
            "row": bar.label,
            "from": sum(bar.stages_ms[:position]),
            "to": sum(bar.stages_ms[: position + 1]),
        }
        for bar in bars
    ]
    labels = [bar.label for bar in bars]
    y_axis = alt.Axis(
        grid=False, labelColor=INK.light, labelLimit=left, minExtent=left, maxExtent=left
    )
    layer: alt.Chart = (
        plotted(rows)
        .mark_bar(color=color.light, height=_BAR_PX)
        .encode(
            x=alt.X("from:Q", scale=axis.scale(), axis=level_axis(title="ms", tickCount=5)),
            x2="to:Q",
            y=alt.Y("row:N", sort=labels, scale=alt.Scale(domain=labels), axis=y_axis),
        )
    )
    return layer
