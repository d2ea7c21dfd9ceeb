"""The requirements gate: figures in, a decision out; nothing is run and nothing is read.

Rules:

1. Three-valued: the whole interval clears the bound, pass; the whole interval lies beyond it,
   fail; anything else is inconclusive, with the number of samples that would settle it.
2. Every requirement is held against every variant on every target that it applies to. The original
   model is what drops are taken against; it is never a candidate, though a variant that cleaning
   left as it was has the same bytes.
3. A target passes when some variant meets every requirement; it fails when every variant fails
   one; else it is inconclusive. The gate passes when every target does.
4. A target that nothing is required of passes, and its reason says so. Of what passes, a variant
   takes the place of float only if it is shown to do no harm.
5. Every result says in one sentence the bound, the value, the interval and n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision, RequirementResult, TargetDecision, Verdict
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.project import RequirementSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.release.choice import PrimaryMetric, closest
from edgeworthy.release.figures import Candidate, Evidence, Figure, GateTarget
from edgeworthy.release.reasons import reason_of
from edgeworthy.release.replacement import check_candidates, choose_harmless
from edgeworthy.release.requirements import (
    bound_in_words,
    bound_of,
)
from edgeworthy.statistics import samples_to_settle


@dataclass(frozen=True, kw_only=True)
class GateQuestion:
    """What the gate is asked.

    Attributes:
        requirements: ``[[require]]``, already checked by ``check_requirements``.
        targets: The targets of the project; at least one.
        candidates: What could ship; never the original.
        original: Digest of the original model.
        primary: The metric that ``prefer = "accuracy"`` means.
        measurements: Of the candidates and of the original.
        evaluations: Of the candidates and of the original.
        scans: Of the candidates' files and of the original's.
    """

    requirements: tuple[RequirementSection, ...]
    targets: tuple[GateTarget, ...]
    candidates: tuple[Candidate, ...]
    original: str
    primary: PrimaryMetric
    measurements: tuple[Measurement, ...]
    evaluations: tuple[Evaluation, ...]
    scans: tuple[ModelScan, ...] = ()


def judge(question: GateQuestion, *, now: datetime) -> GateDecision:
    """Decide whether something may ship, and what to which target.

    Args:
        question: Requirements, candidates and evidence.
        now: With a time zone; evidence that has expired by then does not count.

    Raises:
        ProjectFileError: There is no target to decide about.
    """
    if not question.targets:
        raise ProjectFileError(
            "there is nothing to decide without a target",
            expected="at least one `[targets.NAME]`",
            where="targets",
        )
    relevant = {question.original, *(each.artifact for each in question.candidates)}
    evidence = Evidence(
        tuple(each for each in question.measurements if each.artifact in relevant),
        tuple(each for each in question.evaluations if each.artifact in relevant),
        question.original,
        now,
        tuple(each for each in question.scans if each.artifact in relevant),
    )
    results = tuple(
        result
        for target in question.targets
        for result in _judge_target(question, target, evidence)
    )
    targets = tuple(_decide(question, target, evidence, results) for target in question.targets)
    documents = (*evidence.measurements, *evidence.evaluations, *evidence.scans)
    return GateDecision(
        verdict=_overall([target.verdict for target in targets]),
        targets=targets,
        results=results,
        policy_digest=digest_bytes(canonical_json(question.requirements)),
        evidence=tuple(sorted({digest_bytes(encode_document(each)) for each in documents})),
    )


def _judge_target(
    question: GateQuestion, target: GateTarget, evidence: Evidence
) -> list[RequirementResult]:
    return [
        _result(index, requirement, candidate, target, figure)
        for index, requirement in enumerate(question.requirements)
        if requirement.target in ("", target.name)
        for candidate in _candidates_of(question, target)
        for figure in evidence.figures(requirement, candidate, target)
    ]


def _candidates_of(question: GateQuestion, target: GateTarget) -> list[Candidate]:
    return [
        each
        for each in question.candidates
        if target.name in each.targets and each.variant != ORIGINAL
    ]


def _result(
    index: int,
    requirement: RequirementSection,
    candidate: Candidate,
    target: GateTarget,
    figure: Figure,
) -> RequirementResult:
    estimate = figure.estimate
    verdict = _hold(requirement, figure)
    needed = None
    if verdict is Verdict.INCONCLUSIVE and estimate is not None:
        needed = samples_to_settle(estimate, bound_of(requirement))
    return RequirementResult(
        requirement=requirement,
        requirement_index=index,
        slice=figure.slice,
        target=target.name,
        variant=candidate.variant,
        artifact=candidate.artifact,
        verdict=verdict,
        measured=estimate,
        bound=bound_in_words(requirement),
        reason=reason_of(requirement, figure, verdict, needed),
        samples_needed=needed,
    )


def _hold(requirement: RequirementSection, figure: Figure) -> Verdict:
    """Hold an interval against a bound (rule 1)."""
    estimate = figure.estimate
    if estimate is None:
        return Verdict.FAIL if figure.hopeless else Verdict.INCONCLUSIVE
    bound = bound_of(requirement)
    if requirement.at_least is not None:
        clears, beyond = estimate.low >= bound, estimate.high < bound
    else:
        clears, beyond = estimate.high <= bound, estimate.low > bound
    if clears:
        return Verdict.PASS
    return Verdict.FAIL if beyond else Verdict.INCONCLUSIVE


def _decide(
    question: GateQuestion,
    target: GateTarget,
    evidence: Evidence,
    results: Sequence[RequirementResult],
) -> TargetDecision:
    candidates = _candidates_of(question, target)
    if not candidates:
        reason = "No variant was made for this target."
        return TargetDecision(
            target=target.name, verdict=Verdict.FAIL, variant="", artifact="", reason=reason
        )
    by_variant = {
        each.variant: [
            result
            for result in results
            if (result.target, result.variant) == (target.name, each.variant)
        ]
        for each in candidates
    }
    passing = [
        each
        for each in candidates
        if all(result.verdict is Verdict.PASS for result in by_variant[each.variant])
    ]
    checked = check_candidates(candidates, target, evidence, question.primary)
    if passing:
        chosen, why = choose_harmless(passing, checked, target, evidence, question.primary)
        required = any(by_variant.values())
        scope = "" if required else "Nothing is required of this target. "
        decision = _decision(target, Verdict.PASS, chosen, f"{scope}{chosen.variant}: {why}.")
        return msgspec.structs.replace(decision, harm=checked)
    return _refuse(target, closest(candidates, by_variant), by_variant)


def _refuse(
    target: GateTarget, nearest: Candidate, results: dict[str, list[RequirementResult]]
) -> TargetDecision:
    failing = [
        variant
        for variant, found in results.items()
        if any(result.verdict is Verdict.FAIL for result in found)
    ]
    verdict = Verdict.FAIL if len(failing) == len(results) else Verdict.INCONCLUSIVE
    verdicts = [result.verdict for result in results[nearest.variant]]
    reason = (
        f"No variant meets every requirement. {nearest.variant} comes closest: "
        f"{verdicts.count(Verdict.FAIL)} failed, {verdicts.count(Verdict.INCONCLUSIVE)} open, "
        f"{verdicts.count(Verdict.PASS)} met."
    )
    return _decision(target, verdict, nearest, reason)


def _decision(
    target: GateTarget, verdict: Verdict, candidate: Candidate, reason: str
) -> TargetDecision:
    return TargetDecision(
        target=target.name,
        verdict=verdict,
        variant=candidate.variant,
        artifact=candidate.artifact,
        reason=reason,
    )


def _overall(verdicts: Sequence[Verdict]) -> Verdict:
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS
