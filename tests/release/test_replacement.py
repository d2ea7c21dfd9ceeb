"""What may take the place of float decides what ships."""

from __future__ import annotations

import pytest

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import TargetDecision, Verdict
from edgeworthy.documents.measurement import Measurement, PairedRatio
from edgeworthy.documents.project import RequirementSection, TargetSection
from edgeworthy.release import Candidate, GateQuestion, GateTarget, judge
from release.builders import (
    NOW,
    ORIGINAL,
    evaluation_of,
    interval,
    measurement_of,
    metric,
    percentiles_of,
    profile_of,
    proportion,
)
from release.questions import ACCURACY, FLOAT, INT8

FITS = RequirementSection(metric="size_kib", at_most=64.0)


def loss_of(low: float, value: float, high: float) -> Estimate:
    return proportion(low, value, high, method="tango-score")


def timed(name: str, artifact: str, ratio: tuple[float, float, float] | None) -> Measurement:
    found = None
    p50 = 10.0
    if ratio is not None:
        low, value, high = ratio
        p50 *= value
        found = PairedRatio(
            baseline=ORIGINAL,
            ratio=interval(low, value, high, unit="ratio", n=6, method="hodges-lehmann"),
            verdict="faster",
        )
    return measurement_of(
        artifact,
        name,
        percentiles=percentiles_of(interval(p50 * 0.99, p50, p50 * 1.01)),
        against_original=found,
    )


def decided(
    loss: Estimate,
    ratio: tuple[float, float, float] | None,
    *requirements: RequirementSection,
    float_kib: int = 50,
    margin: float | None = None,
    prefer: str = "latency",
) -> TargetDecision:
    evaluations: tuple[Evaluation, ...] = (
        evaluation_of(
            FLOAT,
            "float32",
            metrics=(metric("accuracy", proportion(0.9, 0.95, 0.97), drop=loss_of(0.0, 0.0, 0.0)),),
        ),
        evaluation_of(
            INT8, "int8", metrics=(metric("accuracy", proportion(0.9, 0.95, 0.97), drop=loss),)
        ),
    )
    section = TargetSection(prefer=prefer)  # type: ignore[arg-type]  # one of three words
    question = GateQuestion(
        requirements=requirements,
        targets=(GateTarget(name="gateway", section=section, profile=profile_of(), margin=margin),),
        candidates=(
            Candidate(
                variant="float32",
                artifact=FLOAT,
                size_bytes=float_kib * 1024,
                targets=("gateway",),
            ),
            Candidate(
                variant="int8",
                artifact=INT8,
                size_bytes=20 * 1024,
                targets=("gateway",),
                replaces_float=True,
            ),
        ),
        original=ORIGINAL,
        primary=ACCURACY,
        measurements=(timed("float32", FLOAT, (0.98, 1.0, 1.02)), timed("int8", INT8, ratio)),
        evaluations=evaluations,
    )
    (decision,) = judge(question, now=NOW).targets
    assert decision.verdict is Verdict.PASS
    return decision


NO_LOSS = loss_of(-0.01, 0.0, 0.01)
FASTER = (0.5, 0.6, 0.7)


def test_a_harmless_variant_takes_the_place_of_float() -> None:
    decision = decided(NO_LOSS, FASTER, FITS)
    assert decision.variant == "int8"
    (checked,) = decision.harm
    assert (checked.variant, checked.check.harmless) == ("int8", True)


@pytest.mark.parametrize(
    ("loss", "ratio", "words"),
    [
        (loss_of(0.01, 0.03, 0.05), FASTER, "is not shown to lie within 0.02"),
        (loss_of(0.03, 0.04, 0.05), FASTER, "is above 0.02"),
        (NO_LOSS, (1.1, 1.2, 1.3), "it is slower"),
        (NO_LOSS, (0.8, 0.95, 1.1), "it is not shown to be faster"),
        (NO_LOSS, None, "its latency was not measured"),
    ],
)
def test_a_harmful_one_does_not_although_it_meets_every_requirement(
    loss: Estimate, ratio: tuple[float, float, float] | None, words: str
) -> None:
    decision = decided(loss, ratio, FITS)
    assert decision.variant == "float32"
    assert "nothing else that meets every requirement may take its place; int8: " in decision.reason
    assert words in decision.reason


def test_where_float_does_not_meet_the_requirements_they_decide_and_the_reason_says_so() -> None:
    decision = decided(loss_of(0.01, 0.03, 0.05), (1.1, 1.2, 1.3), FITS, float_kib=100)
    assert decision.variant == "int8"
    said = "float does not meet every requirement; of int8: its loss of accuracy"
    assert said in decision.reason  # of whom it is said is told, since float stands beside it
    assert not decision.harm[0].check.harmless


def test_the_margin_is_that_of_the_target() -> None:
    loss = loss_of(-0.01, 0.0, 0.03)
    assert decided(loss, FASTER, margin=0.05).variant == "int8"
    assert decided(loss, FASTER, margin=0.02).variant == "float32"


def test_size_asks_for_a_smaller_file_and_not_for_speed() -> None:
    assert decided(NO_LOSS, (1.1, 1.2, 1.3), prefer="size").variant == "int8"
    assert decided(loss_of(0.03, 0.04, 0.05), FASTER, prefer="size").variant == "float32"
