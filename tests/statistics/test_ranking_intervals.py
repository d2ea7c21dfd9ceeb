"""Intervals for areas under the ROC curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types
from sklearn import metrics  # type: ignore[import-untyped] # no types

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import (
    joined_difference,
    paired_area_difference,
    roc_area,
    share_interval,
)
from edgeworthy.statistics.pairing import correlation_of
from edgeworthy.statistics.ranking import placements


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
        lambda rows: len({kind for kind, _ in rows}) == 2
    )
)
def test_the_area_is_scikit_learns_ties_included(rows: list[tuple[bool, int]]) -> None:
    positive = np.array([kind for kind, _ in rows])
    scores = np.array([score for _, score in rows], dtype=np.float64)
    estimate = roc_area(scores, positive, confidence=0.95)
    assert estimate.value == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-12)
    up, down = placements(scores, positive)
    assert np.mean(up) == pytest.approx(np.mean(down))
    assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0


def test_hanley_and_mcneils_example_gives_an_interval_as_wide_as_theirs() -> None:
    # Radiology 143 (1982): 51 abnormal and 58 normal scans in five ratings, area 0.893, SE 0.032.
    ratings = np.repeat([1, 2, 3, 4, 5] * 2, [3, 2, 2, 11, 33, 33, 6, 6, 11, 2]).astype(np.float64)
    abnormal = np.repeat([True, False], [51, 58])
    estimate = roc_area(ratings, abnormal, confidence=0.95)
    assert round(estimate.value, 3) == 0.893
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 0.032, rel=0.1)


@pytest.mark.parametrize(("apart", "spread"), [(3.8, 1.0), (3.0, 2.0)])
def test_an_area_has_the_variance_of_its_samples(apart: float, spread: float) -> None:
    # Hanley and McNeil's alone covers 99.5 % of the first, near 1, and 90 % of the second.
    generator = np.random.default_rng(13)

    def area(n: int) -> Estimate:
        kinds = np.arange(n) < n // 5
        scores = generator.standard_normal(n) * np.where(kinds, spread, 1.0) + apart * kinds
        return roc_area(scores, kinds, confidence=0.95)

    truth = area(500_000).value
    found = [area(1000) for _ in range(600)]
    # Four standard errors of 600 sets are 3.6 points; these have a fixed seed.
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_a_perfect_area_of_few_samples_is_not_certain() -> None:
    positive = np.array([True] * 5 + [False] * 5)
    scores = np.arange(10.0)[::-1]
    estimate = roc_area(scores, positive, confidence=0.95)
    assert estimate.value == 1.0
    assert estimate.low < 0.75
    difference = paired_area_difference(scores, scores * 2, positive, confidence=0.95)
    assert difference.value == 0.0
    # A kind may be missing from five. Lost, it is ranked by chance, which costs half of its share;
    # for one that is gained there is no sign but that no sample moved: one rank of five.
    missing = 1 - 0.035 ** (1 / 5)
    assert difference.high == pytest.approx(missing / 2)
    assert difference.low == pytest.approx(-missing / 5)


def test_the_spread_of_a_difference_is_delongs() -> None:
    generator = np.random.default_rng(2)
    positive = np.arange(4000) < 1500
    first, second = (generator.standard_normal(4000) + positive for _ in range(2))
    second[:] = 0.8 * first + 0.6 * second
    kernels = [
        (each[positive][:, None] > each[~positive][None, :]).astype(np.float64)
        for each in (first, second)
    ]
    # DeLong's components one by one: means of the kernel over the other kind.
    parts = [kernels[0].mean(axis=axis) - kernels[1].mean(axis=axis) for axis in (1, 0)]
    variances = [np.cov(part) / len(part) for part in parts]
    squares = sum(v**2 / (len(part) - 1) for v, part in zip(variances, parts, strict=True))
    arm = stats.t.ppf(1 - 0.035, sum(variances) ** 2 / squares) * sum(variances) ** 0.5
    areas = [kernel.mean() for kernel in kernels]
    half = (1 - 0.035 ** (1 / 1500)) * (max(areas) - 0.5) / 2
    found = paired_area_difference(first, second, positive, confidence=0.95)
    assert found.value == pytest.approx(areas[0] - areas[1])
    assert found.value - found.low == pytest.approx(arm)
    assert found.high - found.value == pytest.approx(half + (arm**2 + half**2) ** 0.5)
    assert found.method == "delong+unseen-kind"


def test_an_even_loss_is_told_where_few_samples_are_anomalous() -> None:
    # 60 anomalous of 3,000, an area that falls from 0.92 to 0.88: with an allowance for a kind
    # that is gained, 6 % of such sets told a loss.
    generator = np.random.default_rng(11)
    positive = np.arange(3000) < 60
    told = []
    for _ in range(100):
        before = generator.standard_normal(3000) + 2.0 * positive
        after = before + 0.7 * generator.standard_normal(3000)
        told.append(paired_area_difference(before, after, positive, confidence=0.95).low > 0)
    assert np.mean(told) >= 0.5


@pytest.mark.parametrize(("n", "lost"), [(30, 0.2), (100, 0.05), (500, 0.02)])
def test_a_rare_kind_that_is_lost_is_covered(n: int, lost: float) -> None:
    # DeLong's interval alone covers 60 to 80 % here: the kind is seldom among the samples.
    generator = np.random.default_rng(7)

    def drop(count: int) -> Estimate:
        kinds = np.arange(count) < count // 5
        clean = generator.standard_normal(count) + 3.8 * kinds
        gone = kinds & (generator.random(count) < lost)
        worse = np.where(gone, generator.standard_normal(count), clean)
        return paired_area_difference(clean, worse, kinds, confidence=0.95)

    truth = drop(200_000).value
    sets = [drop(n) for _ in range(400)]
    assert np.mean([each.low <= truth <= each.high for each in sets]) >= 0.92


@pytest.mark.parametrize("m", [6, 60, 250])
def test_a_high_end_reaches_as_far_as_any_with_a_floor_of_93_percent(m: int) -> None:
    # A share s of m positives is lost: 7 % of sets hold none of it where (1 - s)^m = 0.07. An
    # interval that covers 93 % reaches that far in sets which show nothing, or in some of them.
    generator = np.random.default_rng(15)
    positive = np.arange(5 * m) < m
    scores = generator.standard_normal(5 * m) + 2.0 * positive
    same = paired_area_difference(scores, scores, positive, confidence=0.95)
    lost = (1 - 0.07 ** (1 / m)) * (roc_area(scores, positive, confidence=0.95).value - 0.5)
    assert lost <= same.high <= 1.3 * lost


def test_a_single_positive_sample_still_gives_an_interval() -> None:
    positive = np.array([True, False, False, False])
    difference = paired_area_difference(
        np.array([3.0, 1.0, 2.0, 4.0]), np.array([9.0, 1.0, 2.0, 4.0]), positive, confidence=0.9
    )
    assert difference.low < difference.value < difference.high


@pytest.mark.parametrize(("n", "separation"), [(20, 2.0), (100, 2.0), (100, 4.0), (500, 4.0)])
def test_areas_and_their_differences_are_covered(n: int, separation: float) -> None:
    generator = np.random.default_rng(5)
    positive = np.arange(n) < max(2, n // 5)

    def draw(count: int, kinds: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[float]:
        clean = generator.standard_normal(count) + separation * kinds
        noisy = clean + 0.4 * generator.standard_normal(count)
        area = roc_area(noisy, kinds, confidence=0.95)
        drop = paired_area_difference(clean, noisy, kinds, confidence=0.95)
        return [area.low, area.value, area.high, drop.low, drop.value, drop.high]

    truth = draw(200_000, np.arange(200_000) < 40_000)
    drawn = np.array([draw(n, positive) for _ in range(300)])
    for value, low, high in ((truth[1], 0, 2), (truth[4], 3, 5)):
        covered = np.mean((drawn[:, low] <= value) & (value <= drawn[:, high]))
        assert covered >= 0.93


def test_a_joined_difference_shrinks_with_what_is_common() -> None:
    one, two = (share_interval(hits, 100, confidence=0.95) for hits in (90, 88))
    apart = joined_difference(one, two, correlation=0.0)
    together = joined_difference(one, two, correlation=0.9)
    assert apart.value == together.value == pytest.approx(0.02)
    assert together.high - together.low < 0.5 * (apart.high - apart.low)
    assert apart.method == "mover-blaker-adjusted"


def test_figures_that_do_not_vary_are_taken_as_independent() -> None:
    assert correlation_of(np.ones(5), np.arange(5.0)) == 0.0
    assert correlation_of(np.array([1.0]), np.array([2.0])) == 0.0


@pytest.mark.parametrize("confidence", [0.1, 0.25, 0.5, 0.95])
def test_ends_lie_around_the_difference_at_any_level(confidence: float) -> None:
    generator = np.random.default_rng(4)
    positive = np.arange(60) < 20
    first = generator.standard_normal(60) + positive
    second = first + 0.3 * generator.standard_normal(60)
    found = paired_area_difference(first, second, positive, confidence=confidence)
    assert found.low < found.value < found.high
