"""What ``edgeworthy evaluate`` prints about corruptions."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.cli.output import console, interval, table
from edgeworthy.documents.corruption import CorruptionFigure
from edgeworthy.documents.evaluation import Evaluation

_SHOWN_CONFIDENCE = 0.95


def print_corruptions(evaluations: Sequence[Evaluation]) -> None:
    """The mean under each corruption, one column per artefact.

    Args:
        evaluations: Of one target; those that were not examined are left out.
    """
    examined = [each for each in evaluations if each.corruptions is not None]
    study = examined[0].corruptions if examined else None
    if study is None:
        return
    severities = ", ".join(map(str, study.severities))
    title = (
        f"{study.metric} under corruption, severities {severities}, "
        f"{study.sample_count} {study.kind} samples"
    )
    made = table(title, "corruption", *(each.variant for each in examined))
    rows: list[tuple[str, str, int | None]] = [
        ("as they are", "", 0),
        ("mean over all", "", None),
        *((each.name, each.name, None) for each in study.corruptions),
    ]
    for label, corruption, severity in rows:
        made.add_row(label, *(_figure(each, corruption, severity) for each in examined))
    console().print(made)


def _figure(evaluation: Evaluation, corruption: str, severity: int | None) -> str:
    figures: tuple[CorruptionFigure, ...] = (
        evaluation.corruptions.figures if evaluation.corruptions else ()
    )
    for each in figures:
        selected = (each.corruption, each.severity) == (corruption, severity)
        shown = each.estimate.confidence == _SHOWN_CONFIDENCE
        if selected and shown and each.metric.startswith("corruption_"):
            return interval(each.estimate)
    return ""
