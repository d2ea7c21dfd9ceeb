"""A search: the trade-off of every version, the choice and why, and what stood in the way."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.search import PinnedAxis, Search, Trial
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Details,
    Drawing,
    Drawings,
    Facts,
    Heading,
    Note,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.tradeoff import TradeoffAxes, TradeoffPoint, tradeoff_chart
from edgeworthy.reports.formatting import (
    bytes_text,
    digest_short,
    interval_text,
    number,
    value_text,
)
from edgeworthy.reports.sections.harm import remark_table
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import MUTED, NARROW_PX, SERIES, WIDE_PX, Token
from edgeworthy.reports.wording import capitalized, metric_title, plain, sentence, shortened

_LABEL_LETTERS = 24
_KIBI = 1024
_PERCENT = 100
_BASES = {
    "labels": "the labels of the samples",
    "agreement-classes": "what the float model says: the samples have no labels, so this is "
    "agreement and no accuracy",
    "agreement-vectors": "the float model's outputs: the samples have no labels, so this is the "
    "mean cosine, of several outputs that of the one furthest off, and no accuracy",
}
_SHORT = {
    "labels": "against labels",
    "agreement-classes": "against float",
    "agreement-vectors": "against float",
}
_MOST_LAYERS = 20
_ITSELF = Estimate(value=1.0, low=1.0, high=1.0, confidence=1.0, n=1, method="exact", unit="ratio")


def search_section(search: Search) -> Section:
    """Facts, the chart, the versions, the layers."""
    why = f"{plain(search.chosen)}: {plain(search.reason)}"
    blocks: list[Block] = [Note(sentence(why)), _facts(search)]
    if search.basis != "labels":
        said = f"The metric compares with {_BASES[search.basis]}"
        blocks.insert(1, Note(sentence(said), tone="caution"))
    if search.pinned:
        blocks.insert(1, Note(_pinned_sentence(search.pinned), tone="caution"))
    drawing = _chart(search)
    if drawing is not None:
        blocks.append(Drawings((drawing,)))
    blocks += [Heading("Versions"), _table(search)]
    failed = [each for each in search.trials if each.failure]
    if failed:
        blocks += [Heading("Passed over"), _failures(failed)]
    if search.remarks:
        blocks += [Heading("What stands in the way, layer by layer"), remark_table(search.remarks)]
    if search.sensitivities:
        blocks.append(_layers(search))
    return Section(
        key="search",
        title="Search",
        lead="Each version was made, run on all samples that judge, and timed in turns with the "
        "original on this machine.",
        blocks=tuple(blocks),
    )


def _pinned_sentence(axes: Sequence[PinnedAxis]) -> str:
    """What a reader must know of axes that had no size."""
    sizes = ", ".join(f"{plain(each.axis)} of {plain(each.input)} is {each.size}" for each in axes)
    return f"Every version takes inputs of the samples' size: {sizes}."


def _facts(search: Search) -> Facts:
    check = search.self_check
    measured = "-" if check is None else f"x {_interval(check)}"
    pairs = [
        ("Chosen", Cell(plain(search.chosen), tone="code")),
        ("Asked for", Cell(f"{plain(search.prefer)} on {search.instruction_set}")),
        ("Metric", Cell(f"{metric_title(search.metric)}, {_SHORT[search.basis]}")),
        (
            "Counts as no loss",
            Cell(f"an interval at {_PERCENT * search.confidence:g} % up to {search.margin:g}"),
        ),
        ("Samples", Cell(f"{search.sample_count} judge", hint=search.dataset)),
        ("The original against itself", Cell(measured)),
        ("Ended", Cell(sentence(f"{plain(search.ended)}, after {number(search.spent_s)} s"))),
    ]
    return Facts(terms=tuple(term for term, _ in pairs), items=tuple(cell for _, cell in pairs))


def _interval(estimate: Estimate) -> str:
    return f"{number(estimate.value)} {interval_text(estimate)}"


def _color(search: Search, trial: Trial) -> Token:
    if trial.name == search.chosen:
        return SERIES[0]
    return SERIES[1] if trial.on_front else MUTED


def _points(search: Search, *, sizes: bool) -> list[TradeoffPoint]:
    points = []
    for trial in search.trials:
        ratio = _ITSELF if trial.name == ORIGINAL else trial.ratio
        if trial.failure or trial.metric is None or ratio is None:
            continue
        label = shortened(plain(trial.name), _LABEL_LETTERS)
        points.append(
            TradeoffPoint(
                label=f"{label}, {bytes_text(trial.size_bytes)}" if sizes else label,
                quality=trial.metric,
                latency_ms=ratio,
                size_kib=trial.size_bytes / _KIBI,
                color=_color(search, trial),
                chosen=trial.name == search.chosen,
            )
        )
    return points


def _chart(search: Search) -> Drawing | None:
    points = _points(search, sizes=True)
    if not points:
        return None
    axes = TradeoffAxes(
        quality_title=metric_title(search.metric),
        latency_title="latency, times the original's",
    )
    title = f"{axes.quality_title} against {axes.latency_title}"
    words = "; ".join(each.label for each in points)
    narrow = tradeoff_chart(_points(search, sizes=False), axes, width_px=NARROW_PX, height_px=330)
    wide = tradeoff_chart(points, axes, width_px=WIDE_PX, height_px=380)
    return Drawing(
        title="",
        caption="The area of a bubble is the size of the file, the lines are confidence intervals. "
        "The chosen version is filled and in bold; gray ones are beaten by another in everything.",
        narrow=draw(narrow, key="search", title=title, description=words),
        wide=draw(wide, key="search-wide", title=title, description=words),
    )


def _table(search: Search) -> Table:
    metric = capitalized(metric_title(search.metric))
    return Table(
        caption="Every version that was tried",
        columns=("Version", metric, "Loss", "Median", "Against the original", "File", "Verdict"),
        rows=tuple(_row(search, each) for each in search.trials if not each.failure),
    )


def _row(search: Search, trial: Trial) -> Row:
    return Row(
        cells=(
            Cell(plain(trial.name), note=plain(trial.why), hint=digest_short(trial.artifact)),
            _estimate(trial.metric),
            _estimate(trial.loss),
            _estimate(trial.latency_ms),
            _ratio(trial),
            Cell(bytes_text(trial.size_bytes), tone="number"),
            _verdict(search, trial),
        ),
        emphasis=trial.name == search.chosen,
    )


def _estimate(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell("-")
    return Cell(value_text(estimate), note=interval_text(estimate), tone="number")


def _ratio(trial: Trial) -> Cell:
    if trial.ratio is None:
        return Cell("-")
    return Cell(f"x {number(trial.ratio.value)}", note=interval_text(trial.ratio), tone="number")


def _verdict(search: Search, trial: Trial) -> Cell:
    front = "on the front" if trial.on_front else "beaten"
    if trial.name == search.chosen:
        return Cell("chosen", note=front, tone="pass")
    if trial.harm is None:
        note = "as it was given" if trial.name == ORIGINAL else front
        return Cell("float", note=note)
    if trial.harm.harmless:
        return Cell("may replace float", note=front)
    return Cell("may not replace float", note=sentence(plain(trial.harm.sentence)), tone="caution")


def _failures(failed: list[Trial]) -> Table:
    return Table(
        caption="Versions that could not be made, run or timed",
        columns=("Version", "Why not"),
        rows=tuple(
            Row(cells=(Cell(plain(each.name)), Cell(sentence(plain(each.failure)))))
            for each in failed
        ),
    )


def _layers(search: Search) -> Details:
    shown = search.sensitivities[:_MOST_LAYERS]
    rows = tuple(
        Row(
            cells=(
                Cell(plain(each.node), tone="code"),
                Cell(plain(each.op_type)),
                Cell(f"{number(_PERCENT * each.error_ratio)} %", tone="number"),
            )
        )
        for each in shown
    )
    total = len(search.sensitivities)
    note = Note(
        f"Energy of the outputs' error when this layer alone computes in the integers of "
        f"{plain(search.sensitivity_of)}, over the energy of the outputs; "
        f"{shown[0].sample_count} samples. {len(shown)} of {total} layers."
    )
    table = Table(
        caption="Layers by the error that they cause",
        columns=("Layer", "Operator", "Error"),
        rows=rows,
    )
    return Details(summary="Layers by the error that they cause", blocks=(note, table))
