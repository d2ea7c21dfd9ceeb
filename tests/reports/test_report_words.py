"""Figures and names: three digits, an interval, no rounding onto a bound."""

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.gate import RequirementResult, Verdict
from edgeworthy.documents.project import RequirementSection
from edgeworthy.reports.formatting import (
    MINUS,
    bound_of,
    bound_text,
    bytes_text,
    count_text,
    estimate_text,
    interval_text,
    number,
    sample_text,
    value_text,
)
from edgeworthy.reports.wording import date_text, metric_title, plain, sentence, shortened


def estimate(value: float, low: float, high: float, unit: str = "ratio") -> Estimate:
    return Estimate(
        value=value, low=low, high=high, confidence=0.95, n=100, method="wilson", unit=unit
    )


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        (estimate(0.913, 0.8935, 0.9304), "0.913 [0.893, 0.930]"),
        (estimate(0.00143, 0.0000363, 0.00797), "0.00143 [0.00004, 0.00797]"),
        (estimate(-0.002, -0.0041, 0.0081), f"{MINUS}0.00200 [{MINUS}0.00410, 0.00810]"),
        (estimate(1.0, 0.94, 1.0), "1.000 [0.940, 1.000]"),
        (estimate(12.31, 12.11, 12.62, "ms"), "12.3 ms [12.1, 12.6]"),
        (estimate(0.421, 0.42, 0.422, "ms"), "0.421 ms [0.420, 0.422]"),
        (estimate(5.2, 1.0, 60.0, "ms"), "5 ms [1, 60]"),
        (estimate(1.842, 1.73, 1.95, "label"), "1.84 [1.73, 1.95]"),
        (exact(48.25, unit="KiB"), "48.2 KiB"),
        (exact(3, unit="count"), "3"),
        (exact(0, unit="ms"), "0 ms"),
    ],
)
def test_estimates(given_: Estimate, text: str) -> None:
    assert estimate_text(given_) == text


def test_a_figure_does_not_round_onto_its_bound() -> None:
    just_below = estimate(0.94996, 0.93, 0.97)
    assert value_text(just_below) == "0.950"
    assert value_text(just_below, bound=0.95) == "0.94996"
    assert interval_text(just_below, bound=0.95) == "[0.93000, 0.97000]"
    assert value_text(estimate(0.95, 0.93, 0.97), bound=0.95) == "0.950"


@given(
    value=st.floats(0.001, 0.999),
    width=st.floats(1e-4, 0.2),
    bound=st.floats(0.001, 0.999),
)
def test_a_written_figure_is_on_the_side_of_the_bound_where_it_lies(
    value: float, width: float, bound: float
) -> None:
    assume(abs(value - bound) > 1e-5)
    written = value_text(estimate(value, value - width, value + width), bound=bound)
    assert (float(written) > bound) == (value > bound)


@given(st.floats(-1e12, 1e12))
def test_numbers_are_finite_text_near_the_figure(value: float) -> None:
    written = number(value).replace(",", "").replace(MINUS, "-")
    assert math.isclose(float(written), value, rel_tol=0.051, abs_tol=1e-300)


def test_tiny_numbers() -> None:
    assert number(3.21e-7) == f"3.2e{MINUS}7"
    assert number(-3.21e-12) == f"{MINUS}3.2e{MINUS}12"
    assert number(0.0) == "0"
    assert number(float("inf")) == "inf"


def test_basis() -> None:
    assert sample_text(exact(1, unit="KiB")) == "exact"
    assert sample_text(estimate(0.5, 0.4, 0.6)) == "n = 100, 95 % wilson"
    assert interval_text(exact(1, unit="KiB")) == "exact"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1024**2, "1.00 MiB"),
        (2e15, "1,862,645 GiB"),
    ],
)
def test_sizes(size_bytes: float, text: str) -> None:
    assert bytes_text(size_bytes) == text


def test_counts() -> None:
    assert [count_text(n) for n in (0, 999, 1000, 2_700_000, 3e12)] == [
        "0",
        "999",
        "1.00 k",
        "2.70 M",
        "3,000 G",
    ]


def test_dates_that_are_not_dates_stay_as_they_are() -> None:
    assert date_text("2026-03-01T09:30:00Z") == "2026-03-01 09:30 UTC"
    assert date_text("2026-03-01T09:30:00.123456+00:00") == "2026-03-01 09:30 UTC"
    assert date_text("2026-03-01T09:30:00+02:00") == "2026-03-01T09:30:00+02:00"
    assert date_text("yesterday") == "yesterday"


@given(st.text())
def test_plain_text_has_no_control_and_one_line(text: str) -> None:
    said = plain(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\ufffe\uffff\u202e]", said)
    assert "\n" not in said
    assert plain(said) == said


@given(st.text(), st.integers(3, 40))
def test_labels_are_never_longer_than_asked(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most


def test_names_of_metrics() -> None:
    assert metric_title("latency_p99_9_ms") == "p99.9 latency"
    assert metric_title("negative_flip_ratio") == "negative flips"
    assert metric_title("mean_absolute_error") == "mean absolute error"


def test_sentences() -> None:
    assert sentence("") == ""
    assert sentence("done!") == "Done!"
    assert sentence("p99 is refused: too few") == "p99 is refused: too few."


def result(requirement: RequirementSection, bound: str) -> RequirementResult:
    return RequirementResult(
        requirement=requirement,
        requirement_index=0,
        slice="",
        target="t",
        variant="v",
        artifact="sha256:" + "0" * 64,
        verdict=Verdict.PASS,
        measured=estimate(1.5, 1.4, 1.6, "ms"),
        bound=bound,
        reason="",
    )


def test_bounds_have_the_unit_of_what_was_measured() -> None:
    requirement = RequirementSection(metric="latency_p90_ms", at_most=2.0)
    assert bound_text(result(requirement, "at most 2")) == "at most 2 ms"
    assert bound_text(result(requirement, "at most 2 ms")) == "at most 2 ms"
    assert bound_of(requirement) == 2.0
    assert bound_of(RequirementSection(metric="accuracy")) is None
