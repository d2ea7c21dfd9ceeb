"""The look of every report: one palette, one chart theme.

Rules:

1. Colors are tokens with a value for light and for dark. Charts are drawn in the light values;
   the page's style sheet maps those onto CSS variables, so that a chart follows the reader's
   color scheme without a second drawing. Every light value is therefore unique.
2. Series colors differ in lightness as well as in hue and are told apart with the common forms of
   color blindness; no chart depends on color alone, each series is labelled where it is drawn.
3. Text in any token has a contrast of at least 4.5 to 1 against the page, light and dark.
4. The font of a drawing is only used to measure; the reader's own font is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import altair as alt


@dataclass(frozen=True)
class Token:
    """A color by its use.

    Attributes:
        name: Name of the CSS variable, without the dashes.
        light: Value on a light page.
        dark: Value on a dark page.
    """

    name: str
    light: str
    dark: str


INK: Final = Token("ink", "#18202b", "#e8ecf1")
MUTED: Final = Token("muted", "#566270", "#9eabb9")
LINE: Final = Token("line", "#d5dbe2", "#35404d")
PAPER: Final = Token("paper", "#ffffff", "#11161d")
PANEL: Final = Token("panel", "#f5f7f9", "#1a212b")
ACCENT: Final = Token("accent", "#1d5b9e", "#84baf5")
PASS: Final = Token("pass", "#0a6b5c", "#52c7b2")
FAIL: Final = Token("fail", "#b02e17", "#ff8f75")
UNSURE: Final = Token("unsure", "#835a00", "#e3b850")
ORIGINAL: Final = Token("original", "#646e7b", "#a7b1bd")
SERIES: Final = (
    Token("series-1", "#1b6ab0", "#6db1ef"),
    Token("series-2", "#a9520c", "#f2a45c"),
    Token("series-3", "#87439b", "#d39be4"),
    Token("series-4", "#2a7547", "#77c998"),
    Token("series-5", "#8a6d12", "#d8be62"),
    Token("series-6", "#9a3b5f", "#ee97b6"),
)
TOKENS: Final = (INK, MUTED, LINE, PAPER, PANEL, ACCENT, PASS, FAIL, UNSURE, ORIGINAL, *SERIES)

#: Width of a chart that a phone shows without scaling, in CSS pixels.
NARROW_PX: Final = 335
#: Width of the wide drawing of the main chart, in CSS pixels.
WIDE_PX: Final = 880
FONT_PX: Final = 12
#: Mean width of a character at ``FONT_PX``, for placing labels; on the generous side.
CHARACTER_PX: Final = 6.6


def style_variables() -> str:
    """CSS: the tokens as variables, and the mapping from drawn colors onto them."""
    light = "".join(f"--{token.name}:{token.light};" for token in TOKENS)
    dark = "".join(f"--{token.name}:{token.dark};" for token in TOKENS)
    mapping = "".join(
        f'.chart [{kind}="{token.light}"]{{{kind}:var(--{token.name})}}'
        for token in TOKENS
        for kind in ("fill", "stroke")
    )
    traces = "".join(f".trace .{token.name}{{stroke:var(--{token.name})}}" for token in SERIES)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{mapping}\n{traces}\n"
    )


def themed(chart: alt.LayerChart) -> alt.LayerChart:
    """The chart in the house style: no frame, faint grid, labels in the page's own voice."""
    styled = chart.copy(deep=False)
    styled.config = alt.Config(
        aria=False,
        background="transparent",
        font="Arial, Liberation Sans, sans-serif",
        padding={"left": 1, "top": 2, "right": 8, "bottom": 5},
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            domain=False,
            ticks=False,
            grid=True,
            gridColor=LINE.light,
            gridWidth=1,
            labelColor=MUTED.light,
            labelFontSize=FONT_PX - 1,
            labelPadding=6,
            title=None,
        ),
        text=alt.MarkConfig(fontSize=FONT_PX),
    )
    return styled
