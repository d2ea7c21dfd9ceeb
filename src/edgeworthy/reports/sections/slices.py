"""The metrics on groups of samples."""

from __future__ import annotations

from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Details,
    Drawing,
    Drawings,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.slices import SliceDot, slice_chart
from edgeworthy.reports.formatting import estimate_text, sample_text
from edgeworthy.reports.index import BuildIndex, Subject, metric_value
from edgeworthy.reports.sections.found_slices import found_blocks
from edgeworthy.reports.sections.subjects import heading_of, key_of
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import ORIGINAL
from edgeworthy.reports.wording import capitalized, metric_title, plain, plural, shortened

#: A column with more values than this is shown in the table alone below the first of them.
_MOST_ROWS = 24
_LABEL_LETTERS = 16


def slices_section(index: BuildIndex) -> Section | None:
    """A chart per slice column, the figures folded below."""
    blocks: list[Block] = []
    for position, subject in enumerate(index.subjects):
        drawings = _slice_drawings(index, subject, key=f"slices-{position}")
        table = _slice_table(subject)
        found = found_blocks(subject.evaluation)
        if table.rows or found:
            title = f"All {plural(len(table.rows), 'figure')}"
            blocks.append(heading_of(subject))
            blocks += found
            blocks += [Drawings(drawings)] if drawings else []
            blocks.append(Details(title, (table,)))
    if not blocks:
        return None
    return Section(
        key="slices",
        title="Slices",
        lead="The same figure on groups of samples: a model that is good on the whole can fail "
        "one of them. Small groups have wide intervals. What nobody declared was searched for, "
        "and is told only where chance would hardly show it.",
        blocks=tuple(blocks),
    )


def _slice_drawings(index: BuildIndex, subject: Subject, *, key: str) -> tuple[Drawing, ...]:
    mine = [
        m
        for m in subject.evaluation.metrics
        if m.slice and m.metric == index.metric and not m.slice.endswith("=*")
    ]
    columns = dict.fromkeys(m.slice.partition("=")[0] for m in mine)
    drawings = []
    for position, column in enumerate(columns):
        chosen = [m for m in mine if m.slice.partition("=")[0] == column][:_MOST_ROWS]
        dots = _dots(index, subject, chosen)
        title = f"{capitalized(metric_title(index.metric))} by {plain(column)}"
        words = "; ".join(f"{plain(m.slice)}: {estimate_text(m.estimate)}" for m in chosen)
        svg = draw(
            slice_chart(dots, bound=_slice_bound(index, column)),
            key=f"{key}-{position}",
            title=title,
            description=words,
        )
        drawings.append(Drawing(title=title, caption="", narrow=svg, key=key_of(index, subject)))
    return tuple(drawings)


def _dots(index: BuildIndex, subject: Subject, chosen: list[MetricValue]) -> list[SliceDot]:
    dots = []
    for metric in chosen:
        row = shortened(metric.slice.partition("=")[2], _LABEL_LETTERS) or "(empty)"
        color = index.color(subject.evaluation.variant)
        dots.append(SliceDot(row, metric.estimate, color, chosen=True))
        was = metric_value(subject.original, metric.metric, metric.slice)
        if was:
            dots.append(SliceDot(row, was.estimate, ORIGINAL, chosen=False))
    return dots


def _slice_bound(index: BuildIndex, column: str) -> float | None:
    bounds = [
        requirement.at_least if requirement.at_least is not None else requirement.at_most
        for requirement in index.record.project.require
        if requirement.metric == index.metric and requirement.slice == f"{column}=*"
    ]
    return next((bound for bound in bounds if bound is not None), None)


def _slice_table(subject: Subject) -> Table:
    entry = subject.evaluation
    rows = tuple(
        Row(
            (
                Cell(plain(m.slice) or "all samples"),
                Cell(metric_title(m.metric)),
                Cell(estimate_text(m.estimate), note=sample_text(m.estimate)),
                Cell(estimate_text(m.drop) if m.drop else "none", tone="" if m.drop else "absent"),
            ),
            emphasis=not m.slice,
        )
        for m in entry.metrics
    )
    return Table(
        caption=f"Metrics of {plain(entry.variant)}, in all and by slice",
        columns=("Samples", "Metric", "Figure", "Drop against the original"),
        rows=rows,
    )
