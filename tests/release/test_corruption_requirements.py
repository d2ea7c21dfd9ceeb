"""Requirements on figures under corruption: which they select, and what the gate makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from edgeworthy.documents.corruption import CorruptionFigure, CorruptionStudy, StudiedCorruption
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.project import RequirementSection
from edgeworthy.errors import ProjectFileError
from edgeworthy.release import check_requirements, judge
from release.builders import NOW, evaluation_of, proportion
from release.questions import INT8, question_of, result_of

METRICS = ("accuracy", "corruption_accuracy", "relative_corruption_error")
NAMES = ("weather", "fog", "snow")


def figure(
    corruption: str,
    severity: int | None,
    value: float,
    metric: str = "corruption_accuracy",
    drop: Estimate | None = None,
) -> CorruptionFigure:
    return CorruptionFigure(
        metric=metric,
        corruption=corruption,
        severity=severity,
        estimate=proportion(value - 0.02, value, value + 0.02),
        drop=drop,
    )


def examined(*figures: CorruptionFigure) -> Evaluation:
    study = CorruptionStudy(
        kind="image",
        metric="accuracy",
        sample_count=500,
        severities=(1, 3),
        corruptions=tuple(
            StudiedCorruption(name=name, group="weather", title=name) for name in ("fog", "snow")
        ),
        figures=figures,
        left_out=(),
        seed=0,
    )
    return evaluation_of(INT8, "int8", corruptions=study)


FOUND = examined(
    figure("", 0, 0.97),
    figure("", None, 0.8, drop=proportion(0.01, 0.02, 0.03)),
    figure("weather", None, 0.8),
    figure("fog", None, 0.7),
    figure("fog", 3, 0.6),
    figure("snow", None, 0.9),
    figure("", None, 0.9, metric="relative_corruption_error"),
)


@pytest.mark.parametrize(
    ("selected", "slice_", "verdict"),
    [
        ({}, "", Verdict.PASS),
        ({"corruption": "fog"}, "corruption=fog", Verdict.FAIL),
        ({"corruption": "snow"}, "corruption=snow", Verdict.PASS),
        ({"corruption": "weather"}, "corruption=weather", Verdict.PASS),
        ({"corruption": "fog", "severity": 3}, "corruption=fog, severity=3", Verdict.FAIL),
    ],
)
def test_a_requirement_selects_one_figure(
    selected: dict[str, Any], slice_: str, verdict: Verdict
) -> None:
    requirement = RequirementSection(metric="corruption_accuracy", at_least=0.75, **selected)
    result = result_of(requirement, FOUND)
    assert (result.slice, result.verdict) == (slice_, verdict)


def test_a_star_holds_each_corruption() -> None:
    requirement = RequirementSection(metric="corruption_accuracy", corruption="*", at_least=0.65)
    decision = judge(question_of(requirement, evaluations=(FOUND,)), now=NOW)
    assert [(each.slice, each.verdict) for each in decision.results] == [
        ("corruption=fog", Verdict.PASS),
        ("corruption=snow", Verdict.PASS),
    ]


def test_a_drop_is_held_against_the_original_under_the_same_corruptions() -> None:
    requirement = RequirementSection(metric="corruption_accuracy", drop_at_most=0.02)
    assert result_of(requirement, FOUND).verdict is Verdict.INCONCLUSIVE
    requirement = RequirementSection(metric="corruption_accuracy", drop_at_most=0.03)
    assert result_of(requirement, FOUND).verdict is Verdict.PASS


def test_the_relative_error_has_a_requirement_of_its_own() -> None:
    requirement = RequirementSection(metric="relative_corruption_error", at_most=1.0)
    assert result_of(requirement, FOUND).verdict is Verdict.PASS


def test_what_was_not_examined_is_open_and_says_what_to_do() -> None:
    requirement = RequirementSection(metric="corruption_accuracy", at_least=0.5)
    result = result_of(requirement, evaluation_of(INT8, "int8"))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "its corruptions were not examined: write a profile" in result.reason


def test_what_was_examined_without_that_corruption_fails() -> None:
    requirement = RequirementSection(
        metric="corruption_accuracy", corruption="fog", severity=5, at_least=0.5
    )
    result = result_of(requirement, FOUND)
    assert result.verdict is Verdict.FAIL
    assert "tried were: weather, fog, snow, severities 1, 3" in result.reason


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ({"metric": "accuracy", "corruption": "fog"}, "accuracy is not a figure under corruption"),
        ({"metric": "accuracy", "severity": 1}, "accuracy is not a figure under corruption"),
        ({"metric": "corruption_accuracy", "corruption": "fogg"}, "unknown corruption `fogg`"),
        ({"metric": "corruption_accuracy", "slice": "a=b"}, "corruption_accuracy has no slices"),
        (
            {"metric": "relative_corruption_error", "severity": 2},
            "relative_corruption_error compares with the original already",
        ),
    ],
)
def test_requirements_that_make_no_sense(requirement: dict[str, Any], problem: str) -> None:
    with pytest.raises(ProjectFileError, match=problem) as caught:
        check_requirements(
            (RequirementSection(at_least=0.5, **requirement),),
            metric_names=METRICS,
            target_names=("host",),
            corruption_names=NAMES,
        )
    assert caught.value.exit_code == 2


def test_requirements_that_make_sense() -> None:
    check_requirements(
        (
            RequirementSection(metric="corruption_accuracy", at_least=0.5),
            RequirementSection(metric="corruption_accuracy", corruption="*", at_least=0.5),
            RequirementSection(
                metric="corruption_accuracy", corruption="fog", severity=2, drop_at_most=0.1
            ),
            RequirementSection(metric="relative_corruption_error", corruption="fog", at_most=1.1),
        ),
        metric_names=METRICS,
        target_names=("host",),
        corruption_names=NAMES,
    )
