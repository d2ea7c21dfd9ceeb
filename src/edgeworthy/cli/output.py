"""Records as tables for people, or as JSON for programs.

Rules:

1. A table fits a terminal of 60 columns: text folds, figures do not.
2. Colors are off when standard output is no terminal or NO_COLOR is set (rich sees to it).
3. Text is shown as it is: a name in a model or a path cannot be mistaken for markup.
4. A figure is shown with its interval, or with the reason why there is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.record import Document, canonical_json, document_fields
from edgeworthy.workflow.steps import StepOutcome

STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}
#: From here on a table of three figures has each with its interval on one line, and on two.
_ONE_LINE_WIDTH = 110
_TWO_LINES_WIDTH = 84


def print_json(value: Document | Sequence[Document] | Mapping[str, object]) -> None:
    """One JSON text on standard output."""
    if isinstance(value, Document):
        plain: object = document_fields(value)
    elif isinstance(value, Mapping):
        plain = dict(value)
    else:
        plain = [document_fields(each) for each in value]
    typer.echo(canonical_json(plain).decode())


def console() -> Console:
    """Standard output."""
    return Console(highlight=False, soft_wrap=False, markup=False, emoji=False)


def marked(word: str, style: str, sentence: str) -> Text:
    """A sentence that begins with a word in its color."""
    return Text.assemble((word, style), f" {sentence}")


def print_hanging(out: Console, lead: Text, sentence: Text) -> None:
    """Print what leads in, and a sentence whose further lines begin under its first word.

    What is no terminal gets one line, however long.
    """
    if not out.is_terminal:
        out.print(Text.assemble(lead, " ", sentence), soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(lead, sentence)
    out.print(grid)


def note(sentence: str) -> Text:
    """A remark."""
    return marked("note", "yellow", sentence)


def table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in ``right`` are aligned to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        figures = column in right
        made.add_column(
            column,
            justify="right" if figures else "left",
            no_wrap=figures,
            overflow="fold",
            header_style="dim",
        )
    return made


def figure(value: float) -> str:
    """A figure with three significant digits, or all digits before the point.

    >>> [figure(each) for each in (0.91349, 12.345, 1234.5, 0)]
    ['0.913', '12.3', '1234', '0']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"


def interval(estimate: Estimate | None) -> str:
    """A figure with its interval, the unit left to the heading.

    >>> from edgeworthy.documents.estimate import exact
    >>> interval(exact(42.0, unit="KiB"))
    '42.0'
    """
    if estimate is None:
        return "-"
    if estimate.low == estimate.high:
        return figure(estimate.value)
    return f"{figure(estimate.value)} [{figure(estimate.low)}, {figure(estimate.high)}]"


def folded(name: str, width: int) -> str:
    """A name on lines of at most ``width`` characters where its underscores and hyphens allow it.

    >>> print(folded("expected_calibration_error", 18))
    expected_
    calibration_error
    >>> print(folded("int8-u8s8-percentile-99.9", 15))
    int8-u8s8-
    percentile-99.9
    """
    lines = [""]
    for part in re.findall("[^_-]*[_-]|[^_-]+", name):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def stacked(figure_and_interval: str, width: int) -> str:
    """A figure and its interval on as many lines as a terminal of ``width`` columns asks for.

    >>> stacked("0.896 [-0.883, 0.909]", 120)
    '0.896 [-0.883, 0.909]'
    >>> print(stacked("0.896 [-0.883, 0.909]", 90))
    0.896
    [-0.883, 0.909]
    >>> print(stacked("0.896 [-0.883, 0.909]", 60))
    0.896
    [-0.883,
    0.909]
    """
    if width >= _ONE_LINE_WIDTH:
        return figure_and_interval
    lines = figure_and_interval.replace(" [", "\n[")
    return lines if width >= _TWO_LINES_WIDTH else lines.replace(", ", ",\n")


def verdict_text(verdict: Verdict) -> Text:
    """The verdict as a word in its color."""
    return Text(str(verdict), style=STYLES[verdict])


def print_outcomes(outcomes: Sequence[StepOutcome]) -> None:
    """Why each step ran or not."""
    made = table("Steps", "step", "", "why")
    for each in outcomes:
        made.add_row(each.step, "ran" if each.ran else "reused", each.reason)
    console().print(made)
