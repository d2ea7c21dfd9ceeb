"""Which of the variants that pass is shipped to a target, and why.

Rules:

1. ``latency``: the lowest median. A variant whose interval overlaps that of the fastest is as
   fast for all we know; of those the smallest file is taken. A median that does not count for the
   target (another class of device, expired) is no reason to prefer anything.
2. ``size``: the smallest file.
3. ``accuracy``: the best value of the task's first metric, as observed.
4. What is left undecided goes to the smaller file, then to the name that comes first.
5. Where nothing passes, the one with the fewest failures is named, then the one with the fewest
   open questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import RequirementResult, Verdict
from edgeworthy.release.figures import (
    Candidate,
    Evidence,
    GateTarget,
    latency,
    newest,
    why_not_counted,
)
from edgeworthy.release.requirements import format_figure

_MEDIAN_PERCENT = 50.0
_USUAL_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PrimaryMetric:
    """The metric that stands for how good a model is at its task.

    Attributes:
        name: Of the metric.
        higher_is_better: Which way it is better.
        unit: Its unit.
        confidence: Coverage of the interval of its loss that is held against the margin.
    """

    name: str
    higher_is_better: bool
    unit: str = "ratio"
    confidence: float = 0.95


def choose(
    passing: Sequence[Candidate], target: GateTarget, evidence: Evidence, primary: PrimaryMetric
) -> tuple[Candidate, str]:
    """The variant to ship, of at least one that passes, and the reason."""
    smallest = min(passing, key=_by_size)
    if len(passing) == 1:
        return smallest, "it is the only variant that meets every requirement"
    if target.section.prefer == "size":
        return smallest, f"it is the smallest file, {_size(smallest)}"
    if target.section.prefer == "accuracy":
        return _most_accurate(passing, target, evidence, primary)
    return _fastest(passing, target, evidence)


def closest(
    candidates: Sequence[Candidate],
    results: Mapping[str, Sequence[RequirementResult]],
) -> Candidate:
    """The variant that came closest, of at least one."""

    def distance(candidate: Candidate) -> tuple[int, int, int, str]:
        verdicts = [result.verdict for result in results[candidate.variant]]
        failed = verdicts.count(Verdict.FAIL)
        return failed, verdicts.count(Verdict.INCONCLUSIVE), *_by_size(candidate)

    return min(candidates, key=distance)


def _fastest(
    passing: Sequence[Candidate], target: GateTarget, evidence: Evidence
) -> tuple[Candidate, str]:
    medians = {
        candidate.variant: median
        for candidate in passing
        if (median := _median(candidate, target, evidence)) is not None
    }
    measured = [candidate for candidate in passing if candidate.variant in medians]
    if not measured:
        chosen = min(passing, key=_by_size)
        return (
            chosen,
            f"no latency counts for this target; it is the smallest file, {_size(chosen)}",
        )
    first = min(measured, key=lambda each: (medians[each.variant].value, *_by_size(each)))
    reach = medians[first.variant].high
    level = [each for each in measured if medians[each.variant].low <= reach]
    chosen = min(level, key=_by_size)
    p50 = f"p50 {format_figure(medians[chosen.variant].value)} ms"
    if len(level) == 1:
        return chosen, f"it is the fastest, {p50}"
    others = ", ".join(each.variant for each in level if each is not chosen)
    return chosen, f"{p50} is as fast as {others} within the noise, and the file is the smallest"


def _median(candidate: Candidate, target: GateTarget, evidence: Evidence) -> Estimate | None:
    measurement = newest(evidence.measurements, candidate.variant, candidate.artifact, target.name)
    if measurement is None or why_not_counted(measurement, target.profile, evidence.now):
        return None
    usual = latency(measurement, _MEDIAN_PERCENT, _USUAL_CONFIDENCE).estimate
    return usual or latency(measurement, _MEDIAN_PERCENT, 0.0).estimate


def _most_accurate(
    passing: Sequence[Candidate], target: GateTarget, evidence: Evidence, primary: PrimaryMetric
) -> tuple[Candidate, str]:
    values = {
        candidate.variant: value
        for candidate in passing
        if (value := _value(candidate, target, evidence, primary.name)) is not None
    }
    judged = [candidate for candidate in passing if candidate.variant in values]
    if not judged:
        chosen = min(passing, key=_by_size)
        return chosen, f"no {primary.name} is known; it is the smallest file, {_size(chosen)}"
    sign = -1 if primary.higher_is_better else 1
    chosen = min(judged, key=lambda each: (sign * values[each.variant], *_by_size(each)))
    return chosen, f"its {primary.name} is the best, {format_figure(values[chosen.variant])}"


def _value(
    candidate: Candidate, target: GateTarget, evidence: Evidence, metric: str
) -> float | None:
    evaluation = newest(evidence.evaluations, candidate.variant, candidate.artifact, target.name)
    if evaluation is None or why_not_counted(evaluation, target.profile, evidence.now):
        return None
    values = (
        each.estimate.value
        for each in evaluation.metrics
        if each.metric == metric and not each.slice
    )
    return next(values, None)


def _by_size(candidate: Candidate) -> tuple[int, str]:
    return candidate.size_bytes, candidate.variant


def _size(candidate: Candidate) -> str:
    return f"{format_figure(candidate.size_bytes / 1024)} KiB"
