"""Distribution functions against scipy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics import distributions

SHAPES = st.floats(min_value=0.5, max_value=5e4)
INSIDE = st.floats(min_value=1e-6, max_value=1 - 1e-6)


@given(x=INSIDE, a=SHAPES, b=SHAPES)
def test_the_beta_distribution_is_scipys(x: float, a: float, b: float) -> None:
    expected = stats.beta.cdf(x, a, b)
    assert distributions.beta_probability(x, a, b) == pytest.approx(expected, rel=1e-8, abs=1e-13)


@given(probability=INSIDE, a=SHAPES, b=SHAPES)
def test_a_beta_quantile_is_where_the_probability_is_reached(
    probability: float, a: float, b: float
) -> None:
    quantile = distributions.beta_quantile(probability, a, b)
    assert stats.beta.cdf(quantile, a, b) == pytest.approx(probability, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("x", "expected"), [(-0.5, 0.0), (0.0, 0.0), (1.0, 1.0), (1.5, 1.0)])
def test_the_beta_distribution_ends_at_zero_and_one(x: float, expected: float) -> None:
    assert distributions.beta_probability(x, 2.0, 3.0) == expected


@given(
    probability=INSIDE,
    degrees_of_freedom=st.integers(min_value=1, max_value=10_000),
)
def test_students_quantile_is_scipys(probability: float, degrees_of_freedom: int) -> None:
    expected = stats.t.ppf(probability, degrees_of_freedom)
    found = distributions.student_t_quantile(probability, degrees_of_freedom)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_students_median_is_zero() -> None:
    assert distributions.student_t_quantile(0.5, 3) == 0.0


@given(probability=INSIDE)
def test_the_normal_quantile_and_probability_are_scipys(probability: float) -> None:
    quantile = distributions.normal_quantile(probability)
    assert quantile == pytest.approx(stats.norm.ppf(probability), rel=1e-9, abs=1e-9)
    assert distributions.normal_probability(quantile) == pytest.approx(probability, rel=1e-9)
