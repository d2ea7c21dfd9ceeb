"""The figures under corruption that a requirement asks for.

Rules:

1. Without ``corruption`` it is the mean over all, with ``*`` each of them; without ``severity`` the
   mean over the severities.
2. An evaluation whose corruptions were not examined has no figure, and the reason says what to do.
"""

from __future__ import annotations

from edgeworthy.documents.corruption import CorruptionFigure
from edgeworthy.documents.evaluation import Evaluation, MetricValue
from edgeworthy.documents.project import RequirementSection

RELATIVE_ERROR = "relative_corruption_error"
_PREFIX = "corruption_"
_EACH = "*"


def is_under_corruption(metric: str) -> bool:
    """Whether a metric is one of those that are taken under corruptions.

    >>> is_under_corruption("corruption_accuracy"), is_under_corruption("accuracy")
    (True, False)
    """
    return metric == RELATIVE_ERROR or metric.startswith(_PREFIX)


def wanted_corruption(requirement: RequirementSection) -> str:
    """What a requirement selects, as results name it.

    >>> wanted_corruption(RequirementSection(metric="x", corruption="fog", severity=3))
    'corruption=fog, severity=3'
    """
    parts = []
    if requirement.corruption:
        parts.append(f"corruption={requirement.corruption}")
    if requirement.severity is not None:
        parts.append(f"severity={requirement.severity}")
    return ", ".join(parts)


def values_under_corruption(
    requirement: RequirementSection, evaluation: Evaluation
) -> tuple[tuple[MetricValue, ...], str]:
    """Every figure that is asked for, at each confidence; or why there is none (rule 2)."""
    study = evaluation.corruptions
    if study is None:
        return (), (
            "its corruptions were not examined: write a profile, or `corruptions` among `only`, "
            "under [evaluate]"
        )
    tried = [each.name for each in study.corruptions]
    if requirement.corruption not in ("", _EACH):
        names = [requirement.corruption]
    else:
        names = tried if requirement.corruption else [""]
    found = tuple(
        _value(figure, requirement)
        for name in names
        for figure in study.figures
        if (figure.metric, figure.corruption, figure.severity)
        == (requirement.metric, name, requirement.severity)
    )
    if found:
        return found, ""
    known = ", ".join(dict.fromkeys([*(each.group for each in study.corruptions), *tried]))
    severities = ", ".join(map(str, study.severities))
    return (), (
        f"there is none for {wanted_corruption(requirement) or 'all corruptions'}; tried were: "
        f"{known}, severities {severities}"
    )


def _value(figure: CorruptionFigure, requirement: RequirementSection) -> MetricValue:
    named = RequirementSection(
        metric=figure.metric, corruption=figure.corruption, severity=requirement.severity
    )
    return MetricValue(
        metric=figure.metric,
        slice=wanted_corruption(named),
        estimate=figure.estimate,
        drop=figure.drop,
    )
