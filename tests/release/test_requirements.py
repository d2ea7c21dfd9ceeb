from __future__ import annotations

import math
from typing import Any

import pytest

from edgeworthy.documents.project import RequirementSection
from edgeworthy.errors import ProjectFileError
from edgeworthy.release import MEASUREMENT_METRICS, check_requirements
from edgeworthy.release.requirements import bound_in_words, bound_of, format_figure, wants_each

METRICS = ("accuracy", "macro_f1", "expected_calibration_error")
TARGETS = ("gateway", "watch")
GOOD = RequirementSection(metric="accuracy", at_least=0.9)


def error_of(requirement: RequirementSection) -> ProjectFileError:
    with pytest.raises(ProjectFileError) as caught:
        check_requirements((GOOD, requirement), metric_names=METRICS, target_names=TARGETS)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    "requirement",
    [
        GOOD,
        RequirementSection(metric="accuracy", drop_at_most=0.0, slice="digit=3", target="watch"),
        RequirementSection(metric="macro_f1", at_least=0.9, slice="stroke width=*"),
        RequirementSection(metric="accuracy", at_least=0.9, slice="rule=a=b"),
        *(RequirementSection(metric=name, at_most=1) for name in MEASUREMENT_METRICS),
        *(RequirementSection(metric=name, drop_at_most=1) for name in MEASUREMENT_METRICS),
    ],
)
def test_requirements_that_make_sense(requirement: RequirementSection) -> None:
    check_requirements((requirement,), metric_names=METRICS, target_names=TARGETS)


def test_no_requirement_is_no_mistake() -> None:
    check_requirements((), metric_names=METRICS, target_names=())


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({}, "none"),
        ({"at_least": 0.5, "at_most": 0.9}, "at_least, at_most"),
        ({"at_least": 0.5, "at_most": 0.9, "drop_at_most": 0.1}, "at_least, at_most, drop_at_most"),
    ],
)
def test_exactly_one_bound(bounds: dict[str, Any], found: str) -> None:
    error = error_of(RequirementSection(metric="accuracy", **bounds))
    assert (error.where, error.found) == ("require[1]", found)


@pytest.mark.parametrize("bound", [math.nan, math.inf, -math.inf])
def test_a_bound_is_a_number(bound: float) -> None:
    error = error_of(RequirementSection(metric="accuracy", at_least=bound))
    assert error.where == "require[1].at_least"


@pytest.mark.parametrize(
    ("metric", "nearest"),
    [
        ("acuracy", "accuracy"),
        ("latency_p96_ms", "latency_p99_ms"),
        ("f1", ""),
        ("size_kb", "size_kib"),
        ("Accuracy", "accuracy"),
    ],
)
def test_an_unknown_metric_and_the_nearest(metric: str, nearest: str) -> None:
    error = error_of(RequirementSection(metric=metric, at_least=0.9))
    assert error.where == "require[1].metric"
    assert f"`{metric}`" in error.problem
    assert error.next_step == (f"The nearest is `{nearest}`" if nearest else "")
    assert "latency_p90_ms" in error.expected


def test_an_unknown_target_and_the_nearest() -> None:
    error = error_of(RequirementSection(metric="accuracy", at_least=0.9, target="wach"))
    assert error.where == "require[1].target"
    assert error.next_step == "The nearest is `watch`"


def test_a_target_where_there_are_none() -> None:
    requirement = RequirementSection(metric="accuracy", at_least=0.9, target="watch")
    with pytest.raises(ProjectFileError, match="one of none"):
        check_requirements((requirement,), metric_names=METRICS, target_names=())


@pytest.mark.parametrize("text", ["digit", "=3", "digit=", "="])
def test_a_malformed_slice(text: str) -> None:
    error = error_of(RequirementSection(metric="accuracy", at_least=0.9, slice=text))
    assert error.where == "require[1].slice"
    assert error.found == f"`{text}`"


@pytest.mark.parametrize("metric", MEASUREMENT_METRICS)
def test_a_measurement_has_no_slices(metric: str) -> None:
    error = error_of(RequirementSection(metric=metric, at_most=9, slice="digit=3"))
    assert "it has no slices" in error.problem


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        (RequirementSection(metric="accuracy", at_least=0.95), "at least 0.95"),
        (RequirementSection(metric="size_kib", at_most=512), "at most 512 KiB"),
        (RequirementSection(metric="peak_memory_mib", at_most=0.5), "at most 0.5 MiB"),
        (
            RequirementSection(metric="load_time_ms", drop_at_most=5),
            "at most 5 ms worse than the original",
        ),
    ],
)
def test_a_bound_in_words(requirement: RequirementSection, words: str) -> None:
    assert bound_in_words(requirement) == words


def test_a_bound_that_was_never_checked() -> None:
    with pytest.raises(ProjectFileError, match="has 0 bounds"):
        bound_of(RequirementSection(metric="accuracy"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0123456, "-0.01235"), (999.96, "1000"), (1000.4, "1000"), (1e-9, "1e-09")],
)
def test_a_figure_in_words(value: float, text: str) -> None:
    assert format_figure(value) == text


def test_which_slices_are_asked_for() -> None:
    assert wants_each(RequirementSection(metric="accuracy", slice="rule=a=b")) == ""
    assert wants_each(RequirementSection(metric="accuracy", slice="rule=*")) == "rule"
