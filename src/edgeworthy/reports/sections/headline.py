"""The very top: the verdict, and a card per target with what was chosen and why."""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import RequirementResult, TargetDecision, Verdict
from edgeworthy.reports.blocks import Cell
from edgeworthy.reports.formatting import (
    bound_of,
    bound_text,
    bytes_text,
    estimate_text,
    interval_text,
    requirement_title,
    value_text,
)
from edgeworthy.reports.index import BuildIndex, metric_value, percentile
from edgeworthy.reports.verdicts import (
    summary_of,
    verdict_headline,
    verdict_word,
    worst_first,
)
from edgeworthy.reports.wording import capitalized, metric_title, plain, plural, sentence

_HEADLINE_PERCENT = 90.0
_KIBI = 1024
_MOST_POINTS = 3


@dataclass(frozen=True)
class CardFigure:
    """A figure of a card.

    Attributes:
        title: What it measures.
        value: With its unit.
        interval: In brackets, or ``exact``.
        original: The same of the original; may be empty.
    """

    title: str
    value: str
    interval: str
    original: str


@dataclass(frozen=True)
class TargetCard:
    """What was decided for one target, in short.

    Attributes:
        name: Of the target.
        verdict: Of the target.
        word: The verdict in a word.
        variant: The chosen one, or the one that came closest.
        chosen: Whether it may ship.
        reason: Why this one.
        open_points: Requirements that are not met, the worst first.
        figures: The figures that matter most.
        artifact: Digest of the variant's file.
    """

    name: str
    verdict: str
    word: str
    variant: str
    chosen: bool
    reason: str
    open_points: tuple[Cell, ...]
    figures: tuple[CardFigure, ...]
    artifact: str


@dataclass(frozen=True)
class Headline:
    """The very top of the report.

    Attributes:
        verdict: CSS class; ``none`` when nothing was judged.
        word: The verdict.
        summary: One sentence that says how it came about.
        cards: One per target.
    """

    verdict: str
    word: str
    summary: str
    cards: tuple[TargetCard, ...]


def headline(index: BuildIndex) -> Headline:
    """The verdict and a card per target."""
    decision = index.record.decision
    if decision is None:
        return Headline(
            verdict="none",
            word="Not judged",
            summary="The project names no targets, so no requirement was held against a variant.",
            cards=(),
        )
    return Headline(
        verdict=decision.verdict.value,
        word=verdict_headline(decision.verdict),
        summary=summary_of(decision),
        cards=tuple(_card(index, target) for target in decision.targets),
    )


def _card(index: BuildIndex, decided: TargetDecision) -> TargetCard:
    section = index.record.project.targets.get(decided.target)
    device = f" ({section.device})" if section and section.device != decided.target else ""
    return TargetCard(
        name=plain(f"{decided.target}{device}"),
        verdict=decided.verdict.value,
        word=verdict_word(decided.verdict),
        variant=plain(decided.variant),
        chosen=decided.verdict is Verdict.PASS,
        reason=sentence(plain(decided.reason).removeprefix(f"{plain(decided.variant)}: ")),
        open_points=tuple(_open_points(index, decided)),
        figures=tuple(_card_figures(index, decided)),
        artifact=decided.artifact,
    )


def _open_points(index: BuildIndex, decided: TargetDecision) -> list[Cell]:
    unmet = [
        result
        for result in worst_first(index.results(decided.target, decided.variant))
        if result.verdict is not Verdict.PASS
    ]
    points = [_open_point(result) for result in unmet[:_MOST_POINTS]]
    left = len(unmet) - len(points)
    return [*points, Cell(f"and {left} more below")] if left else points


def _open_point(result: RequirementResult) -> Cell:
    bound = bound_of(result.requirement)
    found = estimate_text(result.measured, bound=bound) if result.measured else "not measured"
    text = f"{capitalized(requirement_title(result))}: {bound_text(result)}, found {found}."
    needed = result.samples_needed
    note = f"About {plural(needed, 'more sample')} would settle it." if needed else ""
    return Cell(text, note=note, tone=result.verdict.value)


def _card_figures(index: BuildIndex, decided: TargetDecision) -> list[CardFigure]:
    target, variant = decided.target, decided.variant
    quality = metric_value(index.evaluation(target, variant), index.metric, "")
    quality_before = metric_value(index.original_evaluation(target), index.metric, "")
    measurement = index.measurement(target, variant)
    original = index.original_measurement(target)
    latency = percentile(measurement, _HEADLINE_PERCENT)
    latency_before = percentile(original, _HEADLINE_PERCENT)
    figures = [
        _figure(
            metric_title(index.metric),
            quality.estimate if quality else None,
            quality_before.estimate if quality_before else None,
        ),
        _figure(
            "p90 latency",
            latency.latency_ms if latency else None,
            latency_before.latency_ms if latency_before else None,
        ),
        _figure(
            "file size",
            measurement.size_kib if measurement else None,
            original.size_kib if original else None,
        ),
    ]
    return [figure for figure in figures if figure is not None]


def _figure(title: str, now: Estimate | None, before: Estimate | None) -> CardFigure | None:
    if now is None:
        return None
    write = _size if now.unit == "KiB" else value_text
    return CardFigure(
        title=title,
        value=write(now),
        interval=interval_text(now),
        original=write(before) if before else "",
    )


def _size(estimate: Estimate) -> str:
    return bytes_text(estimate.value * _KIBI)
