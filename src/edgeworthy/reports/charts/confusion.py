"""What is taken for what: true class down, predicted class across, counts in the cells.

Mistakes are shaded in one color by their share of the row, right predictions in another; the
shade is an opacity, so that it works on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from edgeworthy.reports.charts.frame import ChartRow, framed, plotted
from edgeworthy.reports.charts.labels import text_width_px
from edgeworthy.reports.theme import ACCENT, FAIL, FONT_PX, INK, MUTED, NARROW_PX
from edgeworthy.reports.wording import shortened

#: With more classes than this the cells cannot be read; the report lists the worst pairs instead.
MOST_CLASSES = 16
_MOST_LETTERS = 10
_FAINTEST = 0.14
_TALLEST_PX = 30


def confusion_chart(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> alt.LayerChart:
    """The matrix.

    Args:
        counts: ``counts[true][predicted]``, shape ``(classes, classes)``.
        labels: Class names in the same order.
    """
    names = _unique(labels)
    left = max(text_width_px(name) for name in names) + 12
    side = int((NARROW_PX - left - 10) / len(names))
    rows: list[ChartRow] = [
        {
            "row": names[i],
            "column": names[j],
            "count": count,
            "shade": _FAINTEST + 0.5 * count / sum(counts[i]),
            "color": ACCENT.light if i == j else FAIL.light,
        }
        for i in range(len(names))
        for j, count in enumerate(counts[i])
        if count
    ]
    slanted = max(text_width_px(name) for name in names) > side - 4
    base = plotted(rows).encode(
        x=alt.X("column:N", sort=names, scale=_bands(names), axis=_across(slanted=slanted)),
        y=alt.Y("row:N", sort=names, scale=_bands(names), axis=_down(left)),
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        fill=alt.Fill("color:N", scale=None),
        fillOpacity=alt.FillOpacity("shade:Q", scale=None),
    )
    text = base.mark_text(
        fontSize=FONT_PX - 2 if side < FONT_PX * 2 else FONT_PX - 1, color=INK.light
    )
    return framed(
        [cells, text.encode(text="count:Q")],
        width_px=side * len(names),
        height_px=min(side, _TALLEST_PX) * len(names),
    )


def _bands(names: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(names), paddingInner=0.06, paddingOuter=0.03)


def _across(*, slanted: bool) -> alt.Axis:
    return alt.Axis(
        orient="top",
        grid=False,
        labelAngle=-90 if slanted else 0,
        labelColor=INK.light,
        title="predicted",
        titleAnchor="start",
        titleColor=MUTED.light,
        titleFontSize=FONT_PX - 1,
        titleFontWeight="normal",
        # The reader's font may be wider than the one that measured the upright labels.
        titlePadding=14 if slanted else 4,
        labelOverlap=False,
    )


def _down(left: float) -> alt.Axis:
    return alt.Axis(
        grid=False, labelColor=INK.light, minExtent=left, maxExtent=left, labelOverlap=False
    )


def _unique(labels: Sequence[str]) -> list[str]:
    names: list[str] = []
    for position, label in enumerate(labels):
        name = shortened(label, _MOST_LETTERS)
        names.append(name if name and name not in names else f"{name}#{position}")
    return names
