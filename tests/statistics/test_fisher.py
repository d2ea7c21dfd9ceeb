"""Fisher's exact test against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics import fisher_upper_p_value


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    everything = draw(st.integers(1, 400))
    group = draw(st.integers(0, everything))
    all_hits = draw(st.integers(0, everything))
    least = max(0, group + all_hits - everything)
    return draw(st.integers(least, min(group, all_hits))), group, all_hits, everything


@given(tables())
def test_it_is_scipys(table: tuple[int, int, int, int]) -> None:
    hits, group, all_hits, everything = table
    cells = [[hits, group - hits], [all_hits - hits, everything - group - all_hits + hits]]
    expected = stats.fisher_exact(cells, alternative="greater").pvalue
    assert fisher_upper_p_value(*table) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("table", [(3, 2, 3, 5), (1, 2, 0, 5), (1, 6, 1, 5), (-1, 2, 2, 5)])
def test_counts_that_contradict_each_other_are_refused(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="impossible counts"):
        fisher_upper_p_value(*table)
