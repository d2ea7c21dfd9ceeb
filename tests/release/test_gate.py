from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.documents.project import RequirementSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.release import judge
from edgeworthy.statistics import samples_to_settle, share_interval
from release.builders import (
    NOW,
    ORIGINAL,
    evaluation_of,
    interval,
    measurement_of,
    metric,
    percentiles_of,
    proportion,
)
from release.questions import (
    FLOAT,
    INT8,
    accuracy_of,
    candidate_of,
    question_of,
    result_of,
    target_of,
)


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (0.91, 0.93, 0.95, Verdict.PASS),
        (0.90, 0.93, 0.95, Verdict.PASS),  # the end of the interval is the bound
        (0.89, 0.93, 0.95, Verdict.INCONCLUSIVE),
        (0.85, 0.87, 0.90, Verdict.INCONCLUSIVE),
        (0.80, 0.85, 0.89, Verdict.FAIL),
    ],
)
def test_the_whole_interval_decides_at_least(
    low: float, value: float, high: float, verdict: Verdict
) -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.9)
    assert result_of(requirement, accuracy_of(proportion(low, value, high))).verdict is verdict


@pytest.mark.parametrize(
    ("p50", "verdict"),
    [
        (interval(9, 10, 11), Verdict.PASS),
        (interval(10, 11, 12), Verdict.PASS),
        (interval(10, 11, 12.5), Verdict.INCONCLUSIVE),
        (interval(12, 13, 14), Verdict.INCONCLUSIVE),
        (interval(12.5, 13, 14), Verdict.FAIL),
    ],
)
def test_the_whole_interval_decides_at_most(p50: Estimate, verdict: Verdict) -> None:
    requirement = RequirementSection(metric="latency_p50_ms", at_most=12)
    measurement = measurement_of(INT8, "int8", percentiles=percentiles_of(p50))
    assert result_of(requirement, measurement).verdict is verdict


@pytest.mark.parametrize(
    ("drop", "verdict"),
    [
        (proportion(-0.02, -0.01, 0.0), Verdict.PASS),  # better than the original
        (proportion(0.0, 0.002, 0.005), Verdict.PASS),
        (proportion(0.0, 0.004, 0.006), Verdict.INCONCLUSIVE),
        (proportion(0.006, 0.01, 0.02), Verdict.FAIL),
    ],
)
def test_the_whole_interval_decides_a_drop(drop: Estimate, verdict: Verdict) -> None:
    requirement = RequirementSection(metric="accuracy", drop_at_most=0.005)
    result = result_of(requirement, accuracy_of(proportion(0.8, 0.9, 0.95), drop))
    assert result.verdict is verdict
    assert result.measured == drop
    assert "worse than the original" in result.reason


@given(ends=st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted), bound=st.floats(0, 1))
def test_at_least_and_at_most_never_contradict_each_other(ends: list[float], bound: float) -> None:
    evaluation = accuracy_of(proportion(*ends))
    least = result_of(RequirementSection(metric="accuracy", at_least=bound), evaluation).verdict
    most = result_of(RequirementSection(metric="accuracy", at_most=bound), evaluation).verdict
    if ends[0] == ends[2] == bound:
        assert least is most is Verdict.PASS
    else:
        opposite = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS}
        touching = bound in (ends[0], ends[2])
        assert touching or most is opposite.get(least, Verdict.INCONCLUSIVE)


def test_an_open_question_says_how_many_samples_would_settle_it() -> None:
    estimate = share_interval(96, 100, confidence=0.95)
    requirement = RequirementSection(metric="accuracy", at_least=0.95)
    result = result_of(requirement, accuracy_of(estimate))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.samples_needed == samples_to_settle(estimate, 0.95) == 1706
    assert "about 1706 more samples would settle it" in result.reason


def test_a_value_on_the_bound_can_never_be_settled() -> None:
    result = result_of(
        RequirementSection(metric="accuracy", at_least=0.9), accuracy_of(proportion(0.8, 0.9, 0.95))
    )
    assert result.samples_needed is None
    assert "more samples may not help" in result.reason


def test_a_settled_question_needs_no_samples() -> None:
    result = result_of(
        RequirementSection(metric="accuracy", at_least=0.5), accuracy_of(proportion(0.8, 0.9, 0.95))
    )
    assert result.samples_needed is None


@pytest.mark.parametrize(
    ("at_least", "sentence"),
    [
        (
            0.9,
            "accuracy is 0.95 (95 % interval 0.93 to 0.97, n = 1000), at least 0.9 as required.",
        ),
        (
            0.99,
            "accuracy is 0.95 (95 % interval 0.93 to 0.97, n = 1000), and must be at least 0.99.",
        ),
    ],
)
def test_a_reason_holds_bound_value_interval_and_n(at_least: float, sentence: str) -> None:
    requirement = RequirementSection(metric="accuracy", at_least=at_least)
    assert result_of(requirement, evaluation_of(INT8, "int8")).reason == sentence


TWO = (candidate_of("float32", FLOAT, 200_000), candidate_of("int8", INT8, 50_000))


def two_variants(
    *requirements: RequirementSection,
    float32: tuple[float, float, float],
    int8: tuple[float, float, float],
) -> GateDecision:
    evaluations = (
        evaluation_of(FLOAT, "float32", metrics=(metric("accuracy", proportion(*float32)),)),
        evaluation_of(INT8, "int8", metrics=(metric("accuracy", proportion(*int8)),)),
    )
    question = question_of(*requirements, candidates=TWO, evaluations=evaluations)
    return judge(question, now=NOW)


AT_LEAST_90 = RequirementSection(metric="accuracy", at_least=0.9)
GOOD, OPEN, BAD = (0.91, 0.95, 0.97), (0.85, 0.91, 0.95), (0.6, 0.7, 0.8)


@pytest.mark.parametrize(
    ("float32", "int8", "verdict", "variant"),
    [
        (GOOD, BAD, Verdict.PASS, "float32"),
        (OPEN, GOOD, Verdict.PASS, "int8"),
        (BAD, BAD, Verdict.FAIL, "int8"),
        (BAD, OPEN, Verdict.INCONCLUSIVE, "int8"),
        (OPEN, BAD, Verdict.INCONCLUSIVE, "float32"),
        (OPEN, OPEN, Verdict.INCONCLUSIVE, "int8"),
    ],
)
def test_a_target_takes_the_best_that_any_variant_can_do(
    float32: tuple[float, float, float],
    int8: tuple[float, float, float],
    verdict: Verdict,
    variant: str,
) -> None:
    decision = two_variants(AT_LEAST_90, float32=float32, int8=int8)
    assert decision.verdict is verdict
    (target,) = decision.targets
    assert (target.verdict, target.variant) == (verdict, variant)


def test_a_refusal_names_the_variant_that_came_closest() -> None:
    hard = (
        AT_LEAST_90,
        RequirementSection(metric="accuracy", at_least=0.85),
        RequirementSection(metric="size_kib", at_most=10),
    )
    (target,) = two_variants(*hard, float32=OPEN, int8=BAD).targets
    assert target.variant == "float32"
    assert target.artifact == FLOAT
    assert target.reason == (
        "No variant meets every requirement. float32 comes closest: 1 failed, 1 open, 1 met."
    )


def test_each_target_is_decided_on_its_own() -> None:
    targets = (target_of("gateway"), target_of("watch"))
    evaluations = (
        evaluation_of(INT8, "int8", target="gateway"),
        evaluation_of(
            INT8, "int8", target="watch", metrics=(metric("accuracy", proportion(*BAD)),)
        ),
    )
    decision = judge(question_of(AT_LEAST_90, targets=targets, evaluations=evaluations), now=NOW)
    found = {each.target: each.verdict for each in decision.targets}
    assert found == {"gateway": Verdict.PASS, "watch": Verdict.FAIL}
    assert decision.verdict is Verdict.FAIL


def test_a_requirement_may_be_for_one_target_only() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.9, target="watch")
    targets = (target_of("gateway"), target_of("watch"))
    decision = judge(question_of(requirement, targets=targets), now=NOW)
    gateway, watch = decision.targets
    assert gateway.verdict is Verdict.PASS
    assert gateway.reason.startswith("Nothing is required of this target. int8: ")
    assert watch.verdict is Verdict.INCONCLUSIVE
    assert decision.verdict is Verdict.INCONCLUSIVE


def test_a_target_that_no_variant_was_made_for_fails() -> None:
    stranger = target_of("toaster")
    (target,) = judge(question_of(targets=(stranger,)), now=NOW).targets
    assert (target.verdict, target.variant) == (Verdict.FAIL, "")
    assert target.reason == "No variant was made for this target."


def test_the_original_is_never_a_candidate() -> None:
    question = question_of(candidates=(candidate_of("original", ORIGINAL),))
    assert judge(question, now=NOW).verdict is Verdict.FAIL


def test_an_open_latency_asks_for_more_starts() -> None:
    requirement = RequirementSection(metric="load_time_ms", at_most=105.0)
    question = question_of(requirement, measurements=(measurement_of(INT8, "int8"),))
    (result,) = judge(question, now=NOW).results
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "more starts" in result.reason


def test_a_variant_that_cleaning_left_as_it_was_may_ship() -> None:
    question = question_of(
        AT_LEAST_90,
        candidates=(candidate_of("float32", ORIGINAL),),
        evaluations=(
            evaluation_of(ORIGINAL, "original"),
            evaluation_of(ORIGINAL, "float32"),
        ),
    )
    (target,) = judge(question, now=NOW).targets
    assert (target.verdict, target.variant, target.artifact) == (Verdict.PASS, "float32", ORIGINAL)


def test_two_names_of_one_file_are_judged_apart() -> None:
    """A pass that cleans nothing gives the same bytes; each name still answers for itself."""
    candidates = (candidate_of("float32", FLOAT), candidate_of("cleaned", FLOAT))
    bad = (metric("accuracy", proportion(*BAD)),)
    evaluations = (evaluation_of(FLOAT, "float32"), evaluation_of(FLOAT, "cleaned", metrics=bad))
    question = question_of(AT_LEAST_90, candidates=candidates, evaluations=evaluations)
    (target,) = judge(question, now=NOW).targets
    assert (target.verdict, target.variant) == (Verdict.PASS, "float32")


def test_nothing_to_decide_is_no_pass() -> None:
    with pytest.raises(ProjectFileError, match="nothing to decide"):
        judge(question_of(targets=()), now=NOW)


def test_the_decision_lists_what_it_was_made_on() -> None:
    documents = (measurement_of(INT8, "int8"), measurement_of(ORIGINAL, "original"))
    stray = measurement_of(digest_bytes(b"elsewhere"), "elsewhere")
    question = question_of(
        AT_LEAST_90, measurements=(*documents, stray), evaluations=(evaluation_of(INT8, "int8"),)
    )
    decision = judge(question, now=NOW)
    judged = (*documents, evaluation_of(INT8, "int8"))
    assert decision.evidence == tuple(
        sorted(digest_bytes(encode_document(each)) for each in judged)
    )
    assert decision.policy_digest == digest_bytes(canonical_json((AT_LEAST_90,)))
    assert decision.results[0].requirement == AT_LEAST_90


def test_judging_is_pure() -> None:
    question = question_of(AT_LEAST_90, evaluations=(evaluation_of(INT8, "int8"),))
    assert judge(question, now=NOW) == judge(question, now=datetime(2026, 6, 2, tzinfo=UTC))
