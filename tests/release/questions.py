"""Questions to the gate, with everything in them that a test does not care about."""

from __future__ import annotations

import msgspec

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import RequirementResult
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.project import RequirementSection, TargetSection
from edgeworthy.files import digest_bytes
from edgeworthy.release import Candidate, GateQuestion, GateTarget, PrimaryMetric, judge
from release.builders import (
    NOW,
    ORIGINAL,
    evaluation_of,
    metric,
    profile_of,
)

INT8 = digest_bytes(b"int8")
FLOAT = digest_bytes(b"float32")
ACCURACY = PrimaryMetric("accuracy", higher_is_better=True)


def target_of(name: str = "gateway", **section: object) -> GateTarget:
    chosen = msgspec.convert(section, TargetSection)
    return GateTarget(name=name, section=chosen, profile=profile_of())


def candidate_of(variant: str, artifact: str, size_bytes: int = 51_200) -> Candidate:
    return Candidate(
        variant=variant, artifact=artifact, size_bytes=size_bytes, targets=("gateway", "watch")
    )


def question_of(
    *requirements: RequirementSection,
    targets: tuple[GateTarget, ...] = (target_of(),),
    candidates: tuple[Candidate, ...] = (candidate_of("int8", INT8),),
    measurements: tuple[Measurement, ...] = (),
    evaluations: tuple[Evaluation, ...] = (),
) -> GateQuestion:
    return GateQuestion(
        requirements=requirements,
        targets=targets,
        candidates=candidates,
        original=ORIGINAL,
        primary=ACCURACY,
        measurements=measurements,
        evaluations=evaluations,
    )


def result_of(
    requirement: RequirementSection, *documents: Measurement | Evaluation
) -> RequirementResult:
    """The only result of one requirement on one variant."""
    decision = judge(
        question_of(
            requirement,
            measurements=tuple(each for each in documents if isinstance(each, Measurement)),
            evaluations=tuple(each for each in documents if isinstance(each, Evaluation)),
        ),
        now=NOW,
    )
    (result,) = decision.results
    assert decision.verdict is result.verdict is decision.targets[0].verdict
    return result


def accuracy_of(estimate: Estimate, drop: Estimate | None = None) -> Evaluation:
    return evaluation_of(INT8, "int8", metrics=(metric("accuracy", estimate, drop=drop),))
