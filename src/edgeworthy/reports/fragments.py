"""Single documents as small HTML tables, for notebooks.

Rules:

1. A fragment is a ``div`` with its own few lines of style; it changes nothing around it.
2. Everything from outside is escaped.
3. Light: no chart is drawn, so that a notebook stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model import ModelInspection
from edgeworthy.documents.record import Document
from edgeworthy.documents.variant import Variant
from edgeworthy.reports.blocks import Block, Cell, Heading, Note, Row, Table
from edgeworthy.reports.formatting import digest_short, estimate_text, number, sample_text
from edgeworthy.reports.page import environment
from edgeworthy.reports.sections.flips import flips_text
from edgeworthy.reports.sections.model import model_facts, operator_table
from edgeworthy.reports.sections.requirements import gathered_table
from edgeworthy.reports.sections.variants import passes_details, variant_table
from edgeworthy.reports.verdicts import summary_of, verdict_headline, verdict_word, worst_first
from edgeworthy.reports.wording import capitalized, metric_title, plain, sentence


@dataclass(frozen=True)
class _Fragment:
    title: str
    note: str
    blocks: tuple[Block, ...]


def fragment_html(document: Document) -> str:
    """A document as a small table.

    Args:
        document: A measurement, evaluation, gate decision, model inspection or variant.

    Returns:
        A ``div`` that stands on its own.

    Raises:
        TypeError: There is no fragment for this kind of document.
    """
    made = _fragment(document)
    return environment().get_template("fragment.html.j2").render(fragment=made)


@singledispatch
def _fragment(document: Document) -> _Fragment:
    raise TypeError(f"no HTML fragment for {type(document).__name__}")


@_fragment.register
def _of_measurement(document: Measurement) -> _Fragment:
    figures: list[tuple[str, Estimate | None, str]] = [
        (f"latency p{entry.percent:g}", entry.latency_ms, entry.refusal)
        for entry in document.percentiles
    ]
    figures += [
        ("load time", document.load_time_ms, ""),
        ("peak memory", document.peak_memory_mib, ""),
        ("file size", document.size_kib, ""),
    ]
    if document.against_original:
        title = f"latency against the original ({document.against_original.verdict})"
        figures.append((title, document.against_original.ratio, ""))
    rows = tuple(_figure_row(plain(title), found, why) for title, found, why in figures)
    first = Row((Cell("first query"), Cell(f"{number(document.first_inference_ms)} ms"), Cell("")))
    table = Table(caption="Measurement", columns=("Figure", "Value", "Basis"), rows=(*rows, first))
    return _Fragment(
        title=plain(f"{document.variant} on {document.target}"),
        note=plain(f"{document.scenario}, {document.runtime}, {digest_short(document.artifact)}"),
        blocks=(table, *(Note(plain(text)) for text in document.disturbances)),
    )


def _figure_row(title: str, estimate: Estimate | None, refusal: str) -> Row:
    if estimate is None:
        return Row((Cell(title), Cell("refused"), Cell(plain(refusal))))
    return Row((Cell(title), Cell(estimate_text(estimate)), Cell(sample_text(estimate))))


@_fragment.register
def _of_evaluation(document: Evaluation) -> _Fragment:
    rows = tuple(
        Row(
            (
                Cell(capitalized(metric_title(m.metric))),
                Cell(plain(m.slice) or "all samples"),
                Cell(estimate_text(m.estimate), note=sample_text(m.estimate)),
                Cell(estimate_text(m.drop) if m.drop else ""),
            )
        )
        for m in document.metrics
    )
    columns = ("Metric", "Samples", "Figure", "Drop against the original")
    blocks: list[Block] = [Table(caption="Evaluation", columns=columns, rows=rows)]
    if document.flips is not None:
        blocks.append(Note(flips_text(document.flips)))
    where = f"{document.dataset.name}, {document.runtime}, {digest_short(document.artifact)}"
    title = plain(f"{document.variant} on {document.target}")
    return _Fragment(title=title, note=plain(where), blocks=tuple(blocks))


@_fragment.register
def _of_decision(document: GateDecision) -> _Fragment:
    blocks: list[Block] = []
    for target in document.targets:
        word = verdict_word(target.verdict)
        blocks.append(Heading(plain(f"{target.target}: {target.variant}"), note=word))
        blocks.append(Note(sentence(target.reason)))
        results = worst_first(
            [
                r
                for r in document.results
                if (r.target, r.variant) == (target.target, target.variant)
            ]
        )
        if results:
            blocks.append(gathered_table(results, caption=plain(target.target)))
    headline = verdict_headline(document.verdict)
    return _Fragment(title=headline, note=summary_of(document), blocks=tuple(blocks))


@_fragment.register
def _of_inspection(document: ModelInspection) -> _Fragment:
    blocks: list[Block] = [model_facts(document)]
    blocks += [Note(plain(text)) for text in document.warnings]
    blocks += [operator_table(document)] if document.operators else []
    artifact = digest_short(document.artifact)
    return _Fragment(title="Model", note=artifact, blocks=tuple(blocks))


@_fragment.register
def _of_variant(document: Variant) -> _Fragment:
    blocks: list[Block] = [variant_table((document,))]
    blocks += [passes_details(document)] if document.passes else []
    artifact = digest_short(document.artifact)
    return _Fragment(title=plain(document.name), note=artifact, blocks=tuple(blocks))
