"""The whole way of a sample beside bare inference."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import (
    PIPELINE_STAGES,
    Measurement,
    Percentile,
    PipelineTimes,
    StageTime,
)
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Drawing,
    Drawings,
    Heading,
    KeyEntry,
    Note,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.stages import STAGE_COLORS, StageBar, stage_chart
from edgeworthy.reports.formatting import interval_text, number, sample_text, value_text
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.svg import draw
from edgeworthy.reports.wording import plain, shortened

_LABEL_LETTERS = 18
_PERCENT = 100
_FORMS = {
    "image": "the bytes of image files",
    "wav": "the bytes of wav files",
    "csv": "lines of a table",
    "arrays": "the bytes of arrays",
}


def pipeline_section(index: BuildIndex) -> Section | None:
    """Per target a bar for each artefact, and the figures."""
    blocks: list[Block] = []
    for position, target in enumerate(index.targets):
        measured = [
            found
            for name in index.variants(target)
            if (found := index.measurement(target, name)) and found.pipeline
        ]
        if measured:
            blocks += _target(index, target, measured, key=f"pipeline-{position}")
    if not blocks:
        return None
    return Section(
        key="pipeline",
        title="From bytes to answer",
        lead="A device decodes and prepares a sample before the model sees it, and reads the "
        "answer afterwards. Each turn of the whole way had one of bare inference beside it.",
        blocks=tuple(blocks),
    )


def _target(
    index: BuildIndex, target: str, measured: list[Measurement], *, key: str
) -> list[Block]:
    pipelines = [each.pipeline for each in measured if each.pipeline is not None]
    form = _FORMS.get(pipelines[0].form, pipelines[0].form)
    blocks: list[Block] = [Heading(plain(target), note=f"samples arrive as {plain(form)}")]
    bars = [
        StageBar(shortened(each.variant, _LABEL_LETTERS), _medians_ms(each.pipeline))
        for each in measured
        if each.pipeline is not None
    ]
    if all(sum(bar.stages_ms) > 0 for bar in bars):
        blocks.append(Drawings((_drawing(bars, pipelines, key=key),)))
    blocks.append(_table(index, target, measured))
    checked = sum(each.checked_count for each in measured)
    checked += sum(each.checked_count for each in pipelines)
    if checked:
        blocks.append(
            Note(
                f"{checked:,} of the timed answers, drawn at random, were held against those of an "
                "untimed run of the same file: all agreed."
            )
        )
    return blocks


def _medians_ms(pipeline: PipelineTimes | None) -> tuple[float, ...]:
    stages = pipeline.stages if pipeline else ()
    return tuple(each.p50_ms.value if each.p50_ms else 0.0 for each in stages)


def _drawing(bars: list[StageBar], pipelines: list[PipelineTimes], *, key: str) -> Drawing:
    caption = (
        "Medians of the stages; "
        f"n = {sum(each.query_count for each in pipelines):,} queries in all."
    )
    svg = draw(stage_chart(bars), key=key, title="Time per stage", description=caption)
    return Drawing(
        title="Time per stage",
        caption=caption,
        narrow=svg,
        key=tuple(
            KeyEntry(color=color.name, text=stage)
            for stage, color in zip(PIPELINE_STAGES, STAGE_COLORS, strict=True)
        ),
    )


def _table(index: BuildIndex, target: str, measured: list[Measurement]) -> Table:
    return Table(
        caption=f"Pipeline of each artefact on {plain(target)}",
        columns=(
            "Artefact",
            "Whole way",
            *(stage.capitalize() for stage in PIPELINE_STAGES),
            "Bare inference",
            "Cold start",
        ),
        rows=tuple(
            _row(each, each.pipeline, emphasis=index.is_chosen(target, each.variant))
            for each in measured
            if each.pipeline is not None
        ),
    )


def _row(entry: Measurement, pipeline: PipelineTimes, *, emphasis: bool) -> Row:
    ninetieth = _latency(pipeline.percentiles, 90.0)
    p90 = f"p90 {number(ninetieth.value)} ms" if ninetieth else "p90 refused"
    ratio = pipeline.inference_ratio
    against = f"in company x {number(ratio.value)} {interval_text(ratio)}"
    return Row(
        (
            Cell(plain(entry.variant)),
            _cell(_latency(pipeline.percentiles, 50.0), note=p90),
            *(_stage_cell(each) for each in pipeline.stages),
            _cell(_latency(entry.percentiles, 50.0), note=against),
            _cell(pipeline.cold_start_ms),
        ),
        emphasis=emphasis,
    )


def _stage_cell(stage: StageTime) -> Cell:
    return _cell(stage.p50_ms, note=f"{number(_PERCENT * stage.share_ratio, 0)} % of the time")


def _cell(estimate: Estimate | None, *, note: str = "") -> Cell:
    if estimate is None:
        return Cell("refused", note=note)
    said = f"{interval_text(estimate)}, {note}" if note else interval_text(estimate)
    return Cell(value_text(estimate), note=said, hint=sample_text(estimate))


def _latency(percentiles: Sequence[Percentile], percent: float) -> Estimate | None:
    return next((each.latency_ms for each in percentiles if each.percent == percent), None)
