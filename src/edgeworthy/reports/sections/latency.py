"""How the latencies of each variant are distributed."""

from __future__ import annotations

from edgeworthy.documents.measurement import Measurement
from edgeworthy.reports.blocks import Block, Drawing, Drawings, Heading, Note, Section
from edgeworthy.reports.charts.latency import LatencyCurve, latency_axis, latency_chart
from edgeworthy.reports.formatting import digest_short, estimate_text, number
from edgeworthy.reports.index import BuildIndex, percentile
from edgeworthy.reports.svg import draw
from edgeworthy.reports.wording import plain, plural, shortened

_LABEL_LETTERS = 18


def latency_section(index: BuildIndex) -> Section | None:
    """One panel a variant and target, the original behind it."""
    blocks: list[Block] = []
    for position, target in enumerate(index.targets):
        drawings = _latency_drawings(index, target, key=f"latency-{position}")
        if drawings:
            blocks += [Heading(plain(target), note=_conditions(index, target))]
            blocks += [Drawings(drawings), *_disturbances(index, target)]
    if not blocks:
        return None
    return Section(
        key="latency",
        title="Latency distributions",
        lead="The share of queries that were answered within a time: farther left is faster, "
        "steeper is steadier. The slowest percent lies outside the panels.",
        blocks=tuple(blocks),
    )


def _conditions(index: BuildIndex, target: str) -> str:
    for name in index.variants(target):
        found = index.measurement(target, name)
        if found:
            threads = plural(found.threads, "thread")
            return plain(f"{found.scenario}, {found.runtime}, {threads}")
    return ""


def _latency_drawings(index: BuildIndex, target: str, *, key: str) -> tuple[Drawing, ...]:
    measured = [
        found
        for name in index.variants(target)
        if (found := index.measurement(target, name)) and found.quantiles_ms
    ]
    curves = {entry.variant: _curve(index, entry) for entry in measured}
    if not curves:
        return ()
    axis = latency_axis(list(curves.values()))
    behind = [curves[entry.variant] for entry in measured if index.is_original(entry.variant)]
    shown = [entry for entry in measured if not index.is_original(entry.variant)] or measured
    drawings = []
    for position, entry in enumerate(shown):
        mine = curves[entry.variant]
        chart = latency_chart([*(c for c in behind if c is not mine), mine], axis)
        caption = _latency_caption(entry)
        svg = draw(
            chart, key=f"{key}-{position}", title=f"Latency of {entry.variant}", description=caption
        )
        drawings.append(Drawing(title=plain(entry.variant), caption=caption, narrow=svg))
    return tuple(drawings)


def _curve(index: BuildIndex, entry: Measurement) -> LatencyCurve:
    return LatencyCurve(
        label=shortened(entry.variant, _LABEL_LETTERS),
        quantiles_ms=entry.quantiles_ms,
        color=index.color(entry.variant),
    )


def _latency_caption(entry: Measurement) -> str:
    median = percentile(entry, 50.0)
    known = f"median {estimate_text(median.latency_ms)}, " if median and median.latency_ms else ""
    slowest = f"slowest {number(entry.quantiles_ms[-1])} ms"
    first = f"first query {number(entry.first_inference_ms)} ms"
    return (
        f"{known}{slowest}, {first}; n = {entry.query_count:,} queries, "
        f"artefact {digest_short(entry.artifact)}."
    )


def _disturbances(index: BuildIndex, target: str) -> list[Block]:
    said = dict.fromkeys(
        plain(sentence)
        for name in index.variants(target)
        if (found := index.measurement(target, name))
        for sentence in found.disturbances
    )
    return [Note(f"The machine was not quiet. {' '.join(said)}", tone="caution")] if said else []
