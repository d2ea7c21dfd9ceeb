from __future__ import annotations

import msgspec
import pytest

from edgeworthy.documents.estimate import exact
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.documents.measurement import Measurement, Percentile
from edgeworthy.documents.project import RequirementSection
from edgeworthy.errors import InputError
from edgeworthy.release import judge
from release.builders import (
    NOW,
    ORIGINAL,
    evaluation_of,
    host_of,
    interval,
    measurement_of,
    metric,
    percentiles_of,
    proportion,
)
from release.questions import (
    INT8,
    question_of,
    result_of,
)


def test_the_size_is_exact_and_needs_no_measurement() -> None:
    result = result_of(RequirementSection(metric="size_kib", at_most=50))
    assert result.verdict is Verdict.PASS
    assert result.measured == exact(50.0, unit="KiB")
    assert result.reason == "size_kib is 50 KiB (exact), at most 50 KiB as required."


@pytest.mark.parametrize(
    ("name", "bound", "verdict"),
    [
        ("load_time_ms", 120, Verdict.PASS),
        ("load_time_ms", 100, Verdict.INCONCLUSIVE),
        ("peak_memory_mib", 39, Verdict.FAIL),
        ("latency_p90_ms", 13, Verdict.PASS),
    ],
)
def test_every_figure_of_a_measurement_can_be_asked_for(
    name: str, bound: float, verdict: Verdict
) -> None:
    requirement = RequirementSection(metric=name, at_most=bound)
    assert result_of(requirement, measurement_of(INT8, "int8")).verdict is verdict


def inconclusive_because(
    requirement: RequirementSection, *documents: Measurement | Evaluation
) -> str:
    result = result_of(requirement, *documents)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.measured is None
    return result.reason


def test_a_refused_percentile_is_inconclusive_with_its_reason() -> None:
    requirement = RequirementSection(metric="latency_p99_ms", at_most=20)
    reason = inconclusive_because(requirement, measurement_of(INT8, "int8"))
    assert "p99 needs 1500 queries, 1000 were" in reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("latency_p50_ms", "it was not measured for this target"),
        ("accuracy", "it was not evaluated for this target"),
    ],
)
def test_a_figure_that_nobody_took_is_inconclusive(name: str, reason: str) -> None:
    assert reason in inconclusive_because(RequirementSection(metric=name, at_most=20))


def test_a_figure_of_another_target_does_not_count() -> None:
    requirement = RequirementSection(metric="latency_p50_ms", at_most=20)
    elsewhere = measurement_of(INT8, "int8", target="watch")
    assert "not measured for this target" in inconclusive_because(requirement, elsewhere)


def test_a_metric_that_the_evaluation_does_not_have() -> None:
    requirement = RequirementSection(metric="macro_f1", at_least=0.9)
    reason = inconclusive_because(requirement, evaluation_of(INT8, "int8"))
    assert "the evaluation has no macro_f1" in reason


def test_a_drop_that_is_not_known() -> None:
    requirement = RequirementSection(metric="accuracy", drop_at_most=0.1)
    reason = inconclusive_because(requirement, evaluation_of(INT8, "int8"))
    assert "its drop against the original is not known" in reason


@pytest.mark.parametrize("name", ["latency_p50_ms", "load_time_ms", "peak_memory_mib", "accuracy"])
def test_another_class_of_device_is_inconclusive(name: str) -> None:
    arm = host_of("arm-dotprod")
    documents = (measurement_of(INT8, "int8", host=arm), evaluation_of(INT8, "int8", host=arm))
    reason = inconclusive_because(RequirementSection(metric=name, at_most=0), *documents)
    assert "on arm-dotprod, the target is x86-vnni: measure on the device" in reason


def test_the_size_of_a_file_is_the_same_on_every_device() -> None:
    arm = measurement_of(INT8, "int8", host=host_of("arm-dotprod"))
    requirement = RequirementSection(metric="size_kib", at_most=50)
    assert result_of(requirement, arm).verdict is Verdict.PASS


def test_the_same_instruction_set_on_another_architecture_is_another_class() -> None:
    host = msgspec.structs.replace(host_of(), architecture="i686")
    requirement = RequirementSection(metric="latency_p50_ms", at_most=20)
    reason = inconclusive_because(requirement, measurement_of(INT8, "int8", host=host))
    assert "on i686, the target is x86_64" in reason


@pytest.mark.parametrize("name", ["latency_p50_ms", "accuracy"])
def test_expired_evidence_is_inconclusive(name: str) -> None:
    expired = {"expires_at": "2026-06-01T00:00:00Z"}
    documents = (measurement_of(INT8, "int8", **expired), evaluation_of(INT8, "int8", **expired))
    reason = inconclusive_because(RequirementSection(metric=name, at_most=0), *documents)
    assert "expired at 2026-06-01T00:00:00Z" in reason


def test_evidence_counts_until_the_moment_it_expires() -> None:
    soon = measurement_of(INT8, "int8", expires_at="2026-06-01T00:00:00.000001Z")
    requirement = RequirementSection(metric="latency_p50_ms", at_most=20)
    assert result_of(requirement, soon).verdict is Verdict.PASS


def test_a_malformed_date_is_an_error_and_no_crash() -> None:
    broken = measurement_of(INT8, "int8", taken_at="yesterday")
    with pytest.raises(InputError, match="malformed date"):
        judge(
            question_of(
                RequirementSection(metric="latency_p50_ms", at_most=20), measurements=(broken,)
            ),
            now=NOW,
        )


def test_the_newest_document_counts() -> None:
    fast, slow = percentiles_of(interval(1, 2, 3)), percentiles_of(interval(90, 95, 99))
    old = measurement_of(INT8, "int8", percentiles=fast)
    new = measurement_of(INT8, "int8", percentiles=slow, taken_at="2026-05-01T02:00:00+01:00")
    requirement = RequirementSection(metric="latency_p50_ms", at_most=20)
    for order in ((old, new), (new, old)):
        assert result_of(requirement, *order).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("asked", "expected"), [(0.8, 0.9), (0.9, 0.9), (0.95, 0.95), (0.96, 0.99), (0.99, 0.99)]
)
def test_the_interval_of_the_confidence_or_of_the_next_higher_counts(
    asked: float, expected: float
) -> None:
    estimates = [
        proportion(0.9 - width, 0.9, 0.9 + width, confidence=confidence)
        for confidence, width in ((0.99, 0.03), (0.9, 0.01), (0.95, 0.02))
    ]
    evaluation = evaluation_of(
        INT8, "int8", metrics=tuple(metric("accuracy", each) for each in estimates)
    )
    requirement = RequirementSection(metric="accuracy", at_least=0.5, confidence=asked)
    measured = result_of(requirement, evaluation).measured
    assert measured is not None
    assert measured.confidence == expected


def test_an_interval_of_too_low_a_confidence_does_not_count() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.5, confidence=0.99)
    reason = inconclusive_because(requirement, evaluation_of(INT8, "int8"))
    assert "its interval has confidence 0.95, 0.99 is required" in reason


def test_a_percentile_at_a_confidence_that_was_refused() -> None:
    percentiles = (
        Percentile(percent=99, latency_ms=interval(1, 2, 3, confidence=0.9)),
        Percentile(percent=99, latency_ms=None, refusal="0.99 needs 459 queries"),
    )
    measurement = measurement_of(INT8, "int8", percentiles=percentiles)
    strict = RequirementSection(metric="latency_p99_ms", at_most=9, confidence=0.99)
    assert "0.99 needs 459 queries" in inconclusive_because(strict, measurement)
    lenient = RequirementSection(metric="latency_p99_ms", at_most=9, confidence=0.9)
    assert result_of(lenient, measurement).verdict is Verdict.PASS


def test_a_percentile_that_was_never_taken() -> None:
    measurement = measurement_of(INT8, "int8", percentiles=())
    requirement = RequirementSection(metric="latency_p50_ms", at_most=9)
    assert "no such figure was taken" in inconclusive_because(requirement, measurement)


@pytest.mark.parametrize(
    ("at_most", "verdict"),
    [(5, Verdict.PASS), (4, Verdict.PASS), (3, Verdict.INCONCLUSIVE), (-1, Verdict.FAIL)],
)
def test_slower_than_the_original_by_the_difference_of_both_intervals(
    at_most: float, verdict: Verdict
) -> None:
    """Ours 10 to 13, theirs 9 to 10: slower by 2 at best guess, by 0 to 4 for all we know."""
    ours = measurement_of(INT8, "int8", percentiles=percentiles_of(interval(10, 11.5, 13)))
    theirs = measurement_of(ORIGINAL, "original", percentiles=percentiles_of(interval(9, 9.5, 10)))
    requirement = RequirementSection(metric="latency_p50_ms", drop_at_most=at_most)
    result = result_of(requirement, ours, theirs)
    assert result.verdict is verdict
    assert result.measured == interval(0, 2, 4, method="difference of intervals")


def test_larger_than_the_original() -> None:
    theirs = measurement_of(ORIGINAL, "original", size_kib=exact(40.0, unit="KiB"))
    requirement = RequirementSection(metric="size_kib", drop_at_most=10)
    result = result_of(requirement, theirs)
    assert result.verdict is Verdict.PASS
    assert result.measured is not None
    assert result.measured.value == 10.0


@pytest.mark.parametrize("name", ["size_kib", "latency_p50_ms"])
def test_worse_than_an_original_that_was_not_measured(name: str) -> None:
    requirement = RequirementSection(metric=name, drop_at_most=10)
    reason = inconclusive_because(requirement, measurement_of(INT8, "int8"))
    assert "the original has no figure: it was not measured" in reason


def sliced() -> Evaluation:
    return evaluation_of(
        INT8,
        "int8",
        metrics=(
            metric("accuracy", proportion(0.93, 0.95, 0.97)),
            metric("accuracy", proportion(0.91, 0.95, 0.97), of="digit=0"),
            metric("accuracy", proportion(0.50, 0.60, 0.70), of="digit=1"),
            metric("accuracy", proportion(0.80, 0.91, 0.95), of="stroke=thin"),
        ),
    )


def results_of(requirement: RequirementSection, *evaluations: Evaluation) -> GateDecision:
    return judge(question_of(requirement, evaluations=evaluations), now=NOW)


def test_one_slice_is_judged_alone() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.9, slice="digit=1")
    result = result_of(requirement, sliced())
    assert result.verdict is Verdict.FAIL
    assert result.slice == "digit=1"
    assert result.reason.startswith("accuracy of digit=1 is 0.6 ")


def test_each_slice_of_a_column_gives_a_result() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.9, slice="digit=*")
    decision = results_of(requirement, sliced())
    found = {result.slice: result.verdict for result in decision.results}
    assert found == {"digit=0": Verdict.PASS, "digit=1": Verdict.FAIL}
    assert decision.verdict is Verdict.FAIL


@pytest.mark.parametrize("text", ["digit=7", "thickness=*", "thickness=thin"])
def test_a_slice_that_does_not_exist_fails_and_names_those_that_do(text: str) -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.1, slice=text)
    result = result_of(requirement, sliced())
    assert result.verdict is Verdict.FAIL
    assert f"there is no slice `{text}`" in result.reason
    assert "digit=0, digit=1, stroke=thin" in result.reason


def test_a_slice_where_there_are_none() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.1, slice="digit=*")
    result = result_of(requirement, evaluation_of(INT8, "int8"))
    assert result.verdict is Verdict.FAIL
    assert "there are: none" in result.reason


def test_slices_of_another_class_of_device_are_inconclusive() -> None:
    arm = msgspec.structs.replace(sliced(), host=host_of("arm-neon"))
    requirement = RequirementSection(metric="accuracy", at_least=0.1, slice="digit=*")
    decision = results_of(requirement, arm)
    assert [result.verdict for result in decision.results] == [Verdict.INCONCLUSIVE] * 2
