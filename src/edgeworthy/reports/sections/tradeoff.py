"""Quality against latency against size, per target."""

from __future__ import annotations

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.project import RequirementSection
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Drawing,
    Drawings,
    Heading,
    Note,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.tradeoff import (
    TradeoffAxes,
    TradeoffPoint,
    tradeoff_chart,
)
from edgeworthy.reports.formatting import (
    bytes_text,
    digest_short,
    estimate_text,
    interval_text,
    sample_text,
    value_text,
)
from edgeworthy.reports.index import BuildIndex, metric_value, percentile
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import NARROW_PX, WIDE_PX
from edgeworthy.reports.wording import capitalized, metric_title, plain, sentence, shortened

_LABEL_LETTERS = 18
_KIBI = 1024


def tradeoff_section(index: BuildIndex) -> Section | None:
    """The main chart and its figures, per target."""
    blocks: list[Block] = []
    for position, target in enumerate(index.targets):
        if not any(index.measurement(target, name) for name in index.variants(target)):
            continue
        blocks.append(Heading(plain(target)))
        drawing = _tradeoff(index, target, key=f"tradeoff-{position}")
        if drawing:
            blocks.append(Drawings((drawing,)))
        blocks += [figures_table(index, target), *_refusals(index, target)]
    if not blocks:
        return None
    quality = metric_title(index.metric) or "quality"
    return Section(
        key="tradeoff",
        title=f"{capitalized(quality)}, latency and size",
        lead="What each variant gives and what it costs. Variants took turns on the same machine, "
        "so that they compare.",
        blocks=tuple(blocks),
    )


def _percent_for(index: BuildIndex, target: str) -> float | None:
    for percent in (90.0, 50.0, 99.0):
        found = [percentile(index.measurement(target, v), percent) for v in index.variants(target)]
        if any(entry and entry.latency_ms for entry in found):
            return percent
    return None


def _points(
    index: BuildIndex, target: str, percent: float, *, sizes: bool
) -> tuple[TradeoffPoint, ...]:
    points = []
    for name in index.variants(target):
        measurement = index.measurement(target, name)
        quality = metric_value(index.evaluation(target, name), index.metric, "")
        latency = percentile(measurement, percent)
        if measurement is None or quality is None or latency is None or latency.latency_ms is None:
            continue
        label = shortened(name, _LABEL_LETTERS)
        size = bytes_text(measurement.size_kib.value * _KIBI)
        points.append(
            TradeoffPoint(
                label=f"{label}, {size}" if sizes else label,
                quality=quality.estimate,
                latency_ms=latency.latency_ms,
                size_kib=measurement.size_kib.value,
                color=index.color(name),
                chosen=index.is_chosen(target, name),
            )
        )
    return tuple(points)


def _tradeoff(index: BuildIndex, target: str, *, key: str) -> Drawing | None:
    percent = _percent_for(index, target)
    points = _points(index, target, percent, sizes=True) if percent is not None else ()
    if percent is None or not points:
        return None
    axes = _axes(index, target, percent)
    title = f"{axes.quality_title} against {axes.latency_title} on {plain(target)}"
    words = "; ".join(
        f"{p.label}: {value_text(p.quality)}, {value_text(p.latency_ms)}" for p in points
    )
    narrow = tradeoff_chart(
        _points(index, target, percent, sizes=False), axes, width_px=NARROW_PX, height_px=290
    )
    wide = tradeoff_chart(points, axes, width_px=WIDE_PX, height_px=330)
    return Drawing(
        title="",
        caption="The area of a bubble is the size of the file, the lines are confidence "
        "intervals. The variant of the decision is filled and in bold.",
        narrow=draw(narrow, key=key, title=title, description=words),
        wide=draw(wide, key=f"{key}-wide", title=title, description=words),
    )


def _axes(index: BuildIndex, target: str, percent: float) -> TradeoffAxes:
    latency = f"latency_p{percent:g}_ms"
    quality_unit = next(
        (
            found.estimate.unit
            for name in index.variants(target)
            if (found := metric_value(index.evaluation(target, name), index.metric, ""))
        ),
        "",
    )
    unit = f", {plain(quality_unit)}" if quality_unit not in {"", "ratio", "count"} else ""
    return TradeoffAxes(
        quality_title=f"{metric_title(index.metric)}{unit}",
        latency_title=f"{metric_title(latency)}, ms",
        quality_bounds=_bounds(index, target, index.metric),
        latency_bounds_ms=_bounds(index, target, latency),
    )


def _bounds(index: BuildIndex, target: str, metric: str) -> tuple[float, ...]:
    def absolute(requirement: RequirementSection) -> float | None:
        least = requirement.at_least
        return least if least is not None else requirement.at_most

    return tuple(
        dict.fromkeys(
            bound
            for requirement in index.record.project.require
            if requirement.metric == metric
            and not requirement.slice
            and requirement.target in {"", target}
            and (bound := absolute(requirement)) is not None
        )
    )


def figures_table(index: BuildIndex, target: str) -> Table:
    """Every figure of every variant on one target."""
    quality = metric_title(index.metric)
    columns = ("Variant", capitalized(quality) or "Quality", "Latency p50", "p90")
    return Table(
        caption=f"Figures of each variant on {plain(target)}",
        columns=(*columns, "p99", "Against the original", "Peak memory", "Load time", "File"),
        rows=tuple(_figure_row(index, target, name) for name in index.variants(target)),
    )


def _refusals(index: BuildIndex, target: str) -> list[Block]:
    said = dict.fromkeys(
        f"p{entry.percent:g} is refused: {plain(entry.refusal)}"
        for name in index.variants(target)
        if (found := index.measurement(target, name))
        for entry in found.percentiles
        if entry.latency_ms is None
    )
    return [Note(sentence(text), tone="caution") for text in said]


def _figure_row(index: BuildIndex, target: str, name: str) -> Row:
    measurement = index.measurement(target, name)
    evaluation = index.evaluation(target, name)
    quality = metric_value(evaluation, index.metric, "")
    holder = measurement or evaluation
    artifact = holder.artifact if holder else ""
    return Row(
        (
            Cell(plain(name), note=digest_short(artifact), hint=artifact),
            _cell(quality.estimate if quality else None),
            *(_latency_cell(measurement, percent) for percent in (50.0, 90.0, 99.0)),
            _paired_cell(measurement),
            _cell(measurement.peak_memory_mib if measurement else None),
            _cell(measurement.load_time_ms if measurement else None),
            _cell(measurement.size_kib if measurement else None),
        ),
        emphasis=index.is_chosen(target, name),
    )


def _cell(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell("none", tone="absent")
    return Cell(
        value_text(estimate),
        note=interval_text(estimate),
        hint=f"{estimate_text(estimate)}; {sample_text(estimate)}",
    )


def _latency_cell(measurement: Measurement | None, percent: float) -> Cell:
    found = percentile(measurement, percent)
    if found is None:
        return Cell("none", tone="absent")
    if found.latency_ms is None:
        return Cell("refused", tone="absent", hint=plain(found.refusal))
    return _cell(found.latency_ms)


def _paired_cell(measurement: Measurement | None) -> Cell:
    paired = measurement.against_original if measurement else None
    if paired is None:
        return Cell("", tone="absent")
    ratio = paired.ratio
    return Cell(
        f"{plain(paired.verdict)}, \N{MULTIPLICATION SIGN} {value_text(ratio)}",
        note=interval_text(ratio),
        hint=f"latency against the original; {sample_text(ratio)}",
    )
