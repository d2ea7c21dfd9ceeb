"""Whether confidence means what it says, and what is taken for what."""

from __future__ import annotations

from edgeworthy.documents.evaluation import Evaluation, ReliabilityBin
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
from edgeworthy.reports.charts.confusion import MOST_CLASSES, confusion_chart
from edgeworthy.reports.charts.reliability import ReliabilityCurve, reliability_chart
from edgeworthy.reports.formatting import estimate_text, number, share_text
from edgeworthy.reports.index import BuildIndex, Subject
from edgeworthy.reports.sections.subjects import class_name, heading_of, key_of
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import ORIGINAL
from edgeworthy.reports.wording import metric_title, plain, plural

_MOST_PAIRS = 12


def confidence_section(index: BuildIndex) -> Section | None:
    """Reliability diagram and confusion matrix; nothing for other tasks than classification."""
    blocks: list[Block] = []
    for position, subject in enumerate(index.subjects):
        key = f"confidence-{position}"
        drawings = [
            drawing
            for drawing in (
                _reliability(index, subject, key=f"{key}-bins"),
                _scaled(index, subject, key=f"{key}-scaled"),
                _confusion(index, subject, key=f"{key}-matrix"),
            )
            if drawing
        ]
        tables = _details(index, subject.evaluation)
        if drawings or tables:
            blocks += [heading_of(subject)]
            blocks += [Drawings(tuple(drawings))] if drawings else []
            blocks += tables
    if not blocks:
        return None
    return Section(
        key="confidence",
        title="Confidence and confusion",
        lead="A point on the dashed line means what it says; below it the model is more confident "
        "than it is right, and the temperature mends that on the device. The matrix shows what is "
        "taken for what.",
        blocks=tuple(blocks),
    )


def _reliability(index: BuildIndex, subject: Subject, *, key: str) -> Drawing | None:
    entry, original = subject.evaluation, subject.original
    if not any(found.sample_count for found in entry.reliability):
        return None
    curves = [ReliabilityCurve(entry.reliability, index.color(entry.variant))]
    if original and original.reliability:
        curves.insert(0, ReliabilityCurve(original.reliability, ORIGINAL))
    stated = _stated(entry, "expected_calibration_error")
    caption = f"The area of a point is the number of predictions in its bin{stated}."
    svg = draw(
        reliability_chart(curves),
        key=key,
        title="Reliability",
        description=_in_words(entry.reliability),
    )
    return Drawing(title="Reliability", caption=caption, narrow=svg, key=key_of(index, subject))


def _scaled(index: BuildIndex, subject: Subject, *, key: str) -> Drawing | None:
    """The same with the temperature that ships."""
    entry = subject.evaluation
    fit = entry.temperature
    if fit is None or fit.temperature is None or not entry.scaled_reliability:
        return None
    curves = [ReliabilityCurve(entry.scaled_reliability, index.color(entry.variant))]
    title = f"Reliability at temperature {number(fit.temperature.value, 2)}"
    caption = (
        f"The release carries temperature {estimate_text(fit.temperature)}, fitted on "
        f"{plural(fit.sample_count, fit.dataset.name + ' sample')}"
        f"{_stated(entry, 'scaled_calibration_error')}."
    )
    svg = draw(
        reliability_chart(curves),
        key=key,
        title=title,
        description=_in_words(entry.scaled_reliability),
    )
    return Drawing(title=title, caption=caption, narrow=svg)


def _stated(entry: Evaluation, metric: str) -> str:
    found = [m for m in entry.metrics if not m.slice and m.metric == metric]
    return f"; {metric_title(metric)} {estimate_text(found[0].estimate)}" if found else ""


def _in_words(bins: tuple[ReliabilityBin, ...]) -> str:
    return "; ".join(
        f"confidence {number(found.mean_confidence, 2)}, right {number(found.accuracy, 2)}, "
        f"{plural(found.sample_count, 'sample')}"
        for found in bins
        if found.sample_count
    )


def _confusion(index: BuildIndex, subject: Subject, *, key: str) -> Drawing | None:
    counts = subject.evaluation.confusion
    if not counts or len(counts) > MOST_CLASSES:
        return None
    labels = [class_name(index, position) for position in range(len(counts))]
    pairs = _worst_pairs(subject.evaluation)
    words = "; ".join(f"{labels[i]} taken for {labels[j]}: {count}" for count, i, j in pairs)
    svg = draw(
        confusion_chart(counts, labels),
        key=key,
        title="Confusion matrix",
        description=words or "No sample was put in a wrong class.",
    )
    caption = "Rows are true classes, columns predicted ones; counts of samples."
    return Drawing(title="Confusion", caption=caption, narrow=svg)


def _worst_pairs(entry: Evaluation) -> list[tuple[int, int, int]]:
    pairs = [
        (count, i, j)
        for i, row in enumerate(entry.confusion)
        for j, count in enumerate(row)
        if count and i != j
    ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))[:_MOST_PAIRS]


def _details(index: BuildIndex, entry: Evaluation) -> list[Block]:
    pairs = _worst_pairs(entry)
    if not pairs:
        return []
    rows = tuple(
        Row(
            (
                Cell(class_name(index, i)),
                Cell(class_name(index, j)),
                Cell(f"{count:,}", tone="number"),
                Cell(share_text(count, sum(entry.confusion[i])), tone="number"),
            )
        )
        for count, i, j in pairs
    )
    table = Table(
        caption=f"Most frequent confusions of {plain(entry.variant)}",
        columns=("True class", "Taken for", "Samples", "Share of the class"),
        rows=rows,
    )
    if len(entry.confusion) > MOST_CLASSES:
        return [table]
    return [Details("Most frequent confusions", (table,))]
