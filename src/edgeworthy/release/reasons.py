"""A result of the gate in one sentence: the bound, the value, the interval and n."""

from __future__ import annotations

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.project import RequirementSection
from edgeworthy.release.figures import Figure
from edgeworthy.release.requirements import (
    MEASUREMENT_METRICS,
    bound_in_words,
    format_figure,
    unit_of,
)


def reason_of(
    requirement: RequirementSection, figure: Figure, verdict: Verdict, needed: int | None
) -> str:
    """Why a figure passes, fails or leaves a requirement open.

    Args:
        requirement: What was asked.
        figure: What was found.
        verdict: What follows.
        needed: More samples that would settle an open question, where that can be told.
    """
    bound = bound_in_words(requirement)
    what = f"{requirement.metric} of {figure.slice}" if figure.slice else requirement.metric
    if figure.estimate is None:
        return f"{what} must be {bound}, and there is no figure: {figure.problem}."
    measured = f"{what} is {_in_words(requirement, figure.estimate)}"
    if verdict is Verdict.PASS:
        return f"{measured}, {bound} as required."
    if verdict is Verdict.FAIL:
        return f"{measured}, and must be {bound}."
    unit = "starts" if requirement.metric in MEASUREMENT_METRICS else "samples"
    hint = f"about {needed} more {unit} would settle it" if needed else f"more {unit} may not help"
    return f"{measured}, which leaves open whether it is {bound}: {hint}."


def _in_words(requirement: RequirementSection, estimate: Estimate) -> str:
    unit = unit_of(requirement.metric)
    worse = " worse than the original" if requirement.drop_at_most is not None else ""
    value = f"{format_figure(estimate.value)}{unit}{worse}"
    if estimate.low == estimate.high:
        return f"{value} (exact)"
    low, high = format_figure(estimate.low), format_figure(estimate.high)
    percent = format_figure(100 * estimate.confidence)
    return f"{value} ({percent} % interval {low} to {high}, n = {estimate.n})"
