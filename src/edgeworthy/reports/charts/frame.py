"""What all charts share: rows as data, layers in a frame of a known size, quiet axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import altair as alt

from edgeworthy.reports.theme import FONT_PX, INK, MUTED

#: A row of a chart's data: field names are ours, so nothing from outside is read as a format.
ChartRow: TypeAlias = Mapping[str, float | str]


def plotted(rows: Sequence[ChartRow]) -> alt.Chart:
    """A chart on rows that travel inside its specification."""
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def framed(
    layers: Sequence[alt.Chart],
    *,
    width_px: float,
    height_px: float,
    title: str = "",
    title_shift_px: float = 0,
) -> alt.LayerChart:
    """Layers in a plot of a fixed size.

    Args:
        layers: What lies behind first.
        width_px: Of the plot, without its labels.
        height_px: Of the plot, without its labels.
        title: Name of the upright axis; it stands level above it, where it can be read.
        title_shift_px: How far left of the plot the title begins.
    """
    chart = alt.LayerChart(layer=list(layers), width=width_px, height=height_px)
    if title:
        chart.title = alt.TitleParams(
            title,
            anchor="start",
            frame="group",
            dx=-title_shift_px,
            offset=9,
            fontSize=FONT_PX,
            fontWeight="normal",
            color=MUTED.light,
        )
    return chart


def level_axis(*, title: str = "", **options: Any) -> alt.Axis:  # noqa: ANN401 - Altair's own
    """The axis at the foot of a plot, its title at the right end."""
    return alt.Axis(
        title=title or None,
        titleAnchor="end",
        titleColor=MUTED.light,
        titleFontSize=FONT_PX,
        titleFontWeight="normal",
        titlePadding=5,
        labelFlush=False,
        **{"grid": False, "domain": True, "domainColor": MUTED.light, **options},
    )


def dashed_rule(rows: Sequence[ChartRow]) -> alt.Chart:
    """A bound."""
    rule: alt.Chart = plotted(rows).mark_rule(strokeDash=[4, 3], color=INK.light)
    return rule
