"""Corrected p-values against statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import (  # type: ignore[import-untyped] # statsmodels ships no types
    multipletests,
)

from edgeworthy.statistics import benjamini_yekutieli, holm

P_VALUES = st.lists(st.floats(min_value=0.0, max_value=1.0), min_size=1, max_size=30)


@given(p_values=P_VALUES)
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(expected), abs=1e-12)


@given(p_values=P_VALUES)
def test_benjamini_and_yekutieli_is_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="fdr_by")[1]
    assert benjamini_yekutieli(p_values) == pytest.approx(list(expected), abs=1e-12)


def test_no_tests_have_no_p_values() -> None:
    assert holm([]) == ()
    assert benjamini_yekutieli([]) == ()


@pytest.mark.parametrize("correct", [holm, benjamini_yekutieli])
def test_what_is_no_probability_is_refused(correct: object) -> None:
    assert callable(correct)
    with pytest.raises(ValueError) as caught:
        correct([0.5, 1.5])
    assert "1.5" in str(caught.value)
