"""Extremes over groups: against statsmodels, and coverage by simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types
from statsmodels.stats.proportion import (  # type: ignore[import-untyped] # no types
    confint_proportions_2indep,
)

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import (
    highest_of,
    joined_difference,
    largest_gap,
    lowest_of,
    share_interval,
)
from edgeworthy.statistics.gaps import gap_limits

Counts = NDArray[np.int64]

TRIALS = 2000
ENDS = ("low", "high")


@pytest.mark.parametrize(("a", "b"), [(90, 70), (100, 99), (50, 3), (100, 0)])
def test_the_gap_of_two_groups_is_newcombes_with_other_arms(a: int, b: int) -> None:
    # His own arms are Wilson's, which differ from ours by less than a point of these hundred.
    low, high = confint_proportions_2indep(a, 100, b, 100, method="newcomb", compare="diff")
    gap = largest_gap([np.array([b, a])], [np.array([100, 100])], confidence=0.95)
    assert gap.value == pytest.approx((a - b) / 100)
    assert gap.low == pytest.approx(max(low, 0.0), abs=0.011)
    assert gap.high == pytest.approx(high, abs=0.011)
    one, two = (share_interval(hits, 100, confidence=0.95) for hits in (a, b))
    joined = joined_difference(one, two, correlation=0.0)
    coarse = 0.4 / 100**2
    if min(a, b) > 50:
        assert gap.low == pytest.approx(max(joined.low - coarse, 0.0))
        assert gap.high == pytest.approx(joined.high + coarse)
    else:
        assert gap.low <= joined.low - coarse
        assert gap.high >= min(joined.high + coarse, 1.0)


def ends_of_gaps(n: int, m: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends for every pair of counts, ``(n + 1, m + 1)``."""
    hits = itertools.product(range(n + 1), range(m + 1))
    gaps = [largest_gap([np.array(each)], [np.array([n, m])], confidence=0.95) for each in hits]
    low, high = (np.array([getattr(gap, end) for gap in gaps]) for end in ENDS)
    return low.reshape(n + 1, m + 1), high.reshape(n + 1, m + 1)


EDGE = np.array([0.0001, 0.001, 0.005, 0.01, 0.02, 0.05])
SHARES = np.sort(np.concatenate([EDGE, np.linspace(0.06, 0.94, 45), 1 - EDGE]))


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 10), (20, 20), (30, 30), (10, 15), (5, 50)])
def test_no_gap_is_covered_in_less_than_93_percent(n: int, m: int) -> None:
    low, high = ends_of_gaps(n, m)
    first, second = (stats.binom.pmf(np.arange(k + 1), k, SHARES[:, None]) for k in (n, m))
    true = np.abs(SHARES[:, None] - SHARES[None, :])[:, :, None, None]
    held = (low <= true + 1e-12) & (true <= high + 1e-12)
    covered = np.einsum("ia,jb,ijab->ij", first, second, held, optimize=True)
    assert covered.min() >= 0.93  # Newcombe's: 0.83 to 0.87, 0.29 of 5 and 50
    assert covered.mean() <= (0.99 if min(n, m) == 5 else 0.98)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (10, 10), (5, 50)])
def test_nor_is_a_gap_just_beside_an_end(n: int, m: int) -> None:
    low, high = ends_of_gaps(n, m)
    ends = np.unique(np.round([low, high], 10))
    for gap in np.concatenate([ends - 2e-9, ends + 2e-9]):
        two = SHARES[(SHARES + gap < 1) & (gap > 0)]
        first = stats.binom.pmf(np.arange(n + 1), n, two[:, None] + gap)
        second = stats.binom.pmf(np.arange(m + 1), m, two[:, None])
        held = (low <= gap) & (gap <= high)
        assert np.einsum("ia,ab,ib->i", first, held, second).min(initial=1.0) >= 0.93


def test_the_gap_of_groups_at_opposite_ends_reaches_as_far_as_one_share_of_both() -> None:
    # A hit missing in the one group and a hit in the other: two of twenty lie against a gap of 1.
    gap = largest_gap([np.array([9, 1])], [np.array([10, 10])], confidence=0.95)
    both = share_interval(2, 20, confidence=0.95)
    assert gap.high == pytest.approx(1 - 2 * both.low + 0.4 / 100)
    one, two = (share_interval(hits, 10, confidence=0.95) for hits in (9, 1))
    assert gap.high > joined_difference(one, two, correlation=0.0).high + 0.01


@given(
    cells=st.lists(
        st.integers(min_value=1, max_value=300).flatmap(
            lambda n: st.tuples(st.integers(min_value=0, max_value=n), st.just(n))
        ),
        min_size=2,
        max_size=4,
    )
)
def test_limits_of_gaps_hold_the_gap_and_turn_with_the_groups(
    cells: list[tuple[int, int]],
) -> None:
    hits, counts = np.array(cells).T
    low, high = gap_limits(hits, counts, confidence=0.95)
    shares = hits / counts
    for a, b in itertools.permutations(range(len(cells)), 2):
        assert low[a, b] < shares[a] - shares[b] < high[a, b]
        assert low[a, b] == pytest.approx(-high[b, a], abs=1e-9)
        # Every hit for a miss: the same gap the other way round.
        turned, _ = gap_limits(counts - hits, counts, confidence=0.95)
        assert turned[b, a] == pytest.approx(low[a, b], abs=1e-9)


@pytest.mark.parametrize(
    ("shares", "n", "most"),
    [
        ((0.9, 0.7), 100, 0.97),
        ((0.5, 0.1), 40, 0.97),
        ((0.8, 0.2), 30, 0.97),
        # Close to no gap, the lower end is cut off at 0 and misses less often.
        ((0.99, 0.95), 100, 0.995),
        ((0.02, 0.1), 50, 0.995),
        ((0.9, 0.7), 30, 0.995),
    ],
)
def test_the_gap_of_two_groups_covers_as_often_as_it_says(
    shares: tuple[float, float], n: int, most: float
) -> None:
    generator = np.random.default_rng(4)
    totals = np.full(2, n)
    true = abs(shares[0] - shares[1])
    drawn = generator.binomial(n, shares, size=(TRIALS, 2))
    gaps = [largest_gap([hits], [totals], confidence=0.95) for hits in drawn]
    covered = np.mean([gap.low <= true <= gap.high for gap in gaps])
    assert 0.93 <= covered <= most


@pytest.mark.parametrize("count", [1, 3, 10])
def test_extremes_cover_at_least_as_often_as_they_say(count: int) -> None:
    generator = np.random.default_rng(6)
    shares = np.linspace(0.85, 0.97, count)
    hits = generator.binomial(60, shares, size=(400, count))
    missed = {"lowest": 0, "highest": 0, "gap": 0}
    for row in hits:

        def figure(at: int, level: float, row: Counts = row) -> Estimate:
            return share_interval(int(row[at]), 60, confidence=level)

        lowest = lowest_of(count, figure, confidence=0.95)
        highest = highest_of(count, figure, confidence=0.95)
        missed["lowest"] += not lowest.low <= shares[0] <= lowest.high
        missed["highest"] += not highest.low <= shares[-1] <= highest.high
        if count > 1:
            gap = largest_gap([row], [np.full(count, 60)], confidence=0.95)
            missed["gap"] += not gap.low <= shares[-1] - shares[0] <= gap.high
    assert max(missed.values()) <= 0.07 * len(hits)


def test_kinds_are_taken_together() -> None:
    one, two = np.array([30, 20]), np.array([10, 40])
    totals = np.array([50, 50])
    both = largest_gap([one, two], [totals, totals], confidence=0.95)
    alone = largest_gap([two], [totals], confidence=0.95)
    assert both.value == alone.value == pytest.approx(0.6)
    assert both.low < alone.low
    assert both.high == alone.high


@pytest.mark.parametrize("totals", [[], [np.array([3])], [np.array([3, 0])]])
def test_a_gap_needs_two_groups(totals: list[Counts]) -> None:
    with pytest.raises(ValueError):
        largest_gap(totals, totals, confidence=0.95)
