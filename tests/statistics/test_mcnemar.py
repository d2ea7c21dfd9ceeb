"""McNemar's exact test against statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped] # no types

from edgeworthy.statistics import exact_p_value

COUNTS = st.integers(min_value=0, max_value=3000)


@given(negative=COUNTS, positive=COUNTS)
def test_the_p_value_is_that_of_the_binomial_test(negative: int, positive: int) -> None:
    n = negative + positive
    expected = stats.binomtest(negative, n, 0.5).pvalue if n else 1.0
    assert exact_p_value(negative, positive) == pytest.approx(expected, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize(("negative", "positive"), [(0, 0), (1, 0), (2, 9), (121, 59), (40, 40)])
def test_the_p_value_is_statsmodels(negative: int, positive: int) -> None:
    expected = mcnemar([[0, negative], [positive, 0]], exact=True).pvalue
    assert exact_p_value(negative, positive) == pytest.approx(expected, rel=1e-9)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        exact_p_value(-1, 3)
    assert "-1, 3" in str(caught.value)
