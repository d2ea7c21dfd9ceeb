"""Extremes over groups: against statsmodels, and coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
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
    assert gap.low == pytest.approx(max(joined.low, 0.0))
    assert gap.high == pytest.approx(joined.high)


@pytest.mark.parametrize(("n", "floor"), [(10, 0.91), (30, 0.92)])
def test_the_gap_of_two_groups_has_a_higher_floor_than_newcombes(n: int, floor: float) -> None:
    counts = np.arange(n + 1)
    gaps = [
        [largest_gap([np.array([a, b])], [np.full(2, n)], confidence=0.95) for b in counts]
        for a in counts
    ]
    low, high = (np.array([[getattr(g, end) for g in row] for row in gaps]) for end in ENDS)
    least, total = 1.0, []
    for one in np.linspace(0.02, 0.98, 33):
        for two in np.linspace(0.02, 0.98, 33):
            chances = np.outer(stats.binom.pmf(counts, n, one), stats.binom.pmf(counts, n, two))
            held = (low <= abs(one - two) + 1e-12) & (abs(one - two) <= high + 1e-12)
            total.append(float(chances[held].sum()))
            least = min(least, total[-1])
    assert least >= floor  # Newcombe's: 0.89 of either
    assert 0.95 <= np.mean(total) <= 0.975


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
