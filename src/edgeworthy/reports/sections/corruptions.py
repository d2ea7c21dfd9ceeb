"""How the variant takes what goes wrong between the world and the model, beside the original."""

from __future__ import annotations

from edgeworthy.documents.corruption import CorruptionFigure, CorruptionStudy, StudiedCorruption
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Details,
    Drawing,
    Drawings,
    Note,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.corruptions import CorruptionPanel, CurvePoint, corruption_chart
from edgeworthy.reports.formatting import estimate_text, number
from edgeworthy.reports.index import BuildIndex, Subject
from edgeworthy.reports.sections.subjects import heading_of, key_of
from edgeworthy.reports.svg import draw
from edgeworthy.reports.wording import capitalized, metric_title, plain, plural

_RELATIVE = "relative_corruption_error"
_CONFIDENCE = 0.95
_KINDS = {
    "image": "pictures",
    "sound": "recordings",
    "series": "series",
    "table": "rows",
    "features": "recordings",
}


def corruptions_section(index: BuildIndex) -> Section | None:
    """Curves per corruption, and a table; nothing where corruptions were not examined."""
    blocks: list[Block] = []
    for position, subject in enumerate(index.subjects):
        study = subject.evaluation.corruptions
        if study is None:
            continue
        blocks += [heading_of(subject), Note(_summary(study))]
        blocks += [
            Note(plain(each.sentence), tone="fail")
            for each in subject.evaluation.findings
            if each.kind == "corruption-loss"
        ]
        blocks.append(Drawings(_drawings(index, subject, study, key=f"corruptions-{position}")))
        blocks.append(Details("All means, the largest loss first", (_table(study),)))
        blocks += [Note(plain(each)) for each in study.left_out]
    if not blocks:
        return None
    return Section(
        key="corruptions",
        title="Under corruption",
        lead="The same samples with what sensors, weather, links and people do to them. From left "
        "to right: as they are, then harder and harder. Where the solid line lies below the dashed "
        "one, compression made the model more brittle than it was.",
        blocks=tuple(blocks),
    )


def _summary(study: CorruptionStudy) -> str:
    clean = _figure(study, "", 0)
    mean = _figure(study, "", None)
    if clean is None or mean is None:
        return "No figure could be taken."
    title = metric_title(study.metric)
    text = (
        f"{capitalized(title)} {estimate_text(mean.estimate)} on the mean of "
        f"{plural(len(study.corruptions), 'corruption')} at severities "
        f"{', '.join(map(str, study.severities))}; {estimate_text(clean.estimate)} on the same "
        f"{study.sample_count} {_KINDS[study.kind]} as they are."
    )
    if mean.drop is not None:
        text += f" Worse than the original by {estimate_text(mean.drop)}."
    ratio = _figure(study, "", None, metric=_RELATIVE)
    if ratio is not None:
        text += f" Its errors are {estimate_text(ratio.estimate)} times the original's."
    return text


def _drawings(
    index: BuildIndex, subject: Subject, study: CorruptionStudy, *, key: str
) -> tuple[Drawing, ...]:
    original = subject.original.corruptions if subject.original else None
    color = index.color(subject.evaluation.variant)
    drawings = []
    for number_, group in enumerate(dict.fromkeys(each.group for each in study.corruptions)):
        members = [each for each in study.corruptions if each.group == group]
        panels = [_panel(each, study, original) for each in members]
        mean = _figure(study, group, None)
        caption = f"Mean {estimate_text(mean.estimate)}." if mean else ""
        svg = draw(
            corruption_chart(panels, range_=_range(study), color=color),
            key=f"{key}-{number_}",
            title=f"Under corruption: {group}",
            description="; ".join(_in_words(each, study) for each in members),
        )
        drawings.append(
            Drawing(
                title=capitalized(group), caption=caption, narrow=svg, key=key_of(index, subject)
            )
        )
    return tuple(drawings)


def _range(study: CorruptionStudy) -> tuple[float, float]:
    if _clean_unit(study) == "ratio":
        return 0.0, 1.0
    return 0.0, max(each.estimate.high for each in study.figures if each.metric != _RELATIVE)


def _clean_unit(study: CorruptionStudy) -> str:
    return next((each.estimate.unit for each in study.figures), "ratio")


def _panel(
    corruption: StudiedCorruption, study: CorruptionStudy, original: CorruptionStudy | None
) -> CorruptionPanel:
    points = []
    for severity in (0, *study.severities):
        name = corruption.name if severity else ""
        mine = _figure(study, name, severity)
        theirs = _figure(original, name, severity) if original else None
        if mine is not None:
            points.append(
                CurvePoint(severity, mine.estimate, theirs.estimate.value if theirs else None)
            )
    return CorruptionPanel(plain(corruption.title.partition(" by ")[0]), tuple(points))


def _in_words(corruption: StudiedCorruption, study: CorruptionStudy) -> str:
    found = (_figure(study, corruption.name, severity) for severity in study.severities)
    values = ", ".join(number(each.estimate.value, 2) for each in found if each)
    return f"{corruption.title}: {values}"


def _table(study: CorruptionStudy) -> Table:
    means = [(each, _figure(study, each.name, None)) for each in study.corruptions]
    known = [(each, figure) for each, figure in means if figure is not None]
    known.sort(key=lambda pair: -(pair[1].drop.value if pair[1].drop else 0.0))
    rows = tuple(
        Row(
            (
                Cell(plain(each.title), note=each.name),
                Cell(estimate_text(figure.estimate)),
                Cell(
                    estimate_text(figure.drop) if figure.drop else "none",
                    tone="" if figure.drop else "absent",
                ),
                _ratio_cell(study, each.name),
            )
        )
        for each, figure in known
    )
    return Table(
        caption="Means over severities, by corruption",
        columns=("Corruption", "Figure", "Worse than the original by", "Errors, times original's"),
        rows=rows,
    )


def _ratio_cell(study: CorruptionStudy, name: str) -> Cell:
    figure = _figure(study, name, None, metric=_RELATIVE)
    return Cell(estimate_text(figure.estimate)) if figure else Cell("none", tone="absent")


def _figure(
    study: CorruptionStudy, name: str, severity: int | None, *, metric: str = ""
) -> CorruptionFigure | None:
    wanted = metric or f"corruption_{study.metric}"
    found = [
        each
        for each in study.figures
        if (each.metric, each.corruption, each.severity) == (wanted, name, severity)
    ]
    return min(found, key=lambda each: abs(each.estimate.confidence - _CONFIDENCE), default=None)
