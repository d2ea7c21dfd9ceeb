"""Which of the variants of a target may take the place of float, and what that does to the choice.

Rules:

1. Every variant that is not float is checked with the figures that count for the target: the paired
   loss of the first metric, and the paired ratio of the latency. See ``edgeworthy.release.harm``.
2. Where float meets every requirement, only float and what does no harm can be chosen.
3. Where float does not meet them, the requirements decide, since the user has said what must hold:
   a variant that meets them ships, harmless ones first, and the reason says what is not shown.
4. Nothing is hidden: what was found for each variant stands in the decision.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import CheckedVariant
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.release.choice import PrimaryMetric, choose
from edgeworthy.release.figures import (
    Candidate,
    Evidence,
    GateTarget,
    at_confidence,
    newest,
    why_not_counted,
)
from edgeworthy.release.harm import HarmTerms, check_harm, usual_margin


def check_candidates(
    candidates: Sequence[Candidate],
    target: GateTarget,
    evidence: Evidence,
    primary: PrimaryMetric,
) -> tuple[CheckedVariant, ...]:
    """Whether each variant that is not float may take its place (rule 1)."""
    floats = [each.size_bytes for each in candidates if not each.replaces_float]
    if not floats:
        return ()
    checked = []
    for each in candidates:
        if not each.replaces_float:
            continue
        ratio, self_check = _ratio(each, target, evidence)
        terms = HarmTerms(
            metric=primary.name,
            margin=_margin(target, evidence, primary),
            prefer=target.section.prefer,
            float_size_bytes=min(floats),
            self_check=self_check,
        )
        loss = _loss(each, target, evidence, primary)
        check = check_harm(loss, ratio, each.size_bytes, terms)
        checked.append(CheckedVariant(variant=each.variant, check=check))
    return tuple(checked)


def choose_harmless(
    passing: Sequence[Candidate],
    checked: Sequence[CheckedVariant],
    target: GateTarget,
    evidence: Evidence,
    primary: PrimaryMetric,
) -> tuple[Candidate, str]:
    """The variant to ship, of at least one that passes, and the reason (rules 2 and 3)."""
    harmful = {each.variant: each.check for each in checked if not each.check.harmless}
    harmless = [each for each in passing if each.variant not in harmful]
    chosen, why = choose(harmless or passing, target, evidence, primary)
    if not harmless:
        own = f"of {chosen.variant}: {harmful[chosen.variant].sentence}"
        why += f"; float does not meet every requirement; {own}"
        return chosen, why
    kept_out = [each.variant for each in passing if each.variant in harmful]
    if kept_out and not chosen.replaces_float:
        if len(harmless) == 1:
            why = "it is float, and nothing else that meets every requirement may take its place"
        said = [f"{name}: {harmful[name].sentence}" for name in kept_out]
        why += f"; {'; '.join(said)}"
    return chosen, why


def _margin(target: GateTarget, evidence: Evidence, primary: PrimaryMetric) -> float:
    if target.margin is not None:
        return target.margin
    original = newest(evidence.evaluations, ORIGINAL, evidence.original, target.name)
    values = original.metrics if original else ()
    value = next(
        (each.estimate.value for each in values if each.metric == primary.name and not each.slice),
        0.0,
    )
    return usual_margin(primary.unit, value)


def _loss(
    candidate: Candidate, target: GateTarget, evidence: Evidence, primary: PrimaryMetric
) -> Estimate | None:
    evaluation = newest(evidence.evaluations, candidate.variant, candidate.artifact, target.name)
    if evaluation is None or why_not_counted(evaluation, target.profile, evidence.now):
        return None
    drops = [
        each.drop
        for each in evaluation.metrics
        if each.metric == primary.name and not each.slice and each.drop is not None
    ]
    return at_confidence(drops, primary.confidence).estimate


def _ratio(
    candidate: Candidate, target: GateTarget, evidence: Evidence
) -> tuple[Estimate | None, Estimate | None]:
    """Latency over the original's, and the original's over its own."""
    measured = newest(evidence.measurements, candidate.variant, candidate.artifact, target.name)
    if measured is None or why_not_counted(measured, target.profile, evidence.now):
        return None, None
    ratio, check = measured.against_original, measured.self_check
    return ratio.ratio if ratio else None, check.ratio if check else None
