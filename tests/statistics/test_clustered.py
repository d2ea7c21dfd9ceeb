"""Means over conditions: the sample is the observation, and intervals cover as they say."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from edgeworthy.statistics.clustered import (
    clustered_share,
    clustered_share_difference,
    ratio_of_means,
    student_mean,
)
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.shares import share_interval


def answers(
    generator: np.random.Generator, n: int, conditions: int, share: float, alike: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How hard each answer is, and which are right; ``alike`` is what conditions have in common."""
    hard = math.sqrt(alike) * generator.standard_normal((1, n))
    hard = hard + math.sqrt(1 - alike) * generator.standard_normal((conditions, n))
    return hard, hard < NormalDist().inv_cdf(share)


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(("conditions", "alike"), [(5, 0.3), (5, 0.8), (60, 0.8)])
def test_a_share_covers_as_often_as_it_says(
    n: int, share: float, conditions: int, alike: float
) -> None:
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        _, hits = answers(generator, n, conditions, share, alike)
        estimate = clustered_share(hits, confidence=0.95)
        covered.append(estimate.low <= share <= estimate.high)
    # 300 draws: 0.95 less three standard errors.
    assert np.mean(covered) >= 0.912


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize(("before", "after"), [(0.6, 0.55), (0.9, 0.88)])
def test_differences_and_ratios_cover_as_often_as_they_say(
    n: int, before: float, after: float
) -> None:
    generator = np.random.default_rng(1)
    differences, ratios = [], []
    for _ in range(300):
        hard, hits = answers(generator, n, 20, before, 0.6)
        other = (hard + 0.5 * generator.standard_normal(hard.shape)) / math.sqrt(1.25)
        later = other < NormalDist().inv_cdf(after)
        found = clustered_share_difference(hits, later, confidence=0.95)
        differences.append(found.low <= before - after <= found.high)
        ratio = ratio_of_means(1 - later.mean(axis=0), 1 - hits.mean(axis=0), confidence=0.95)
        assert ratio is not None
        ratios.append(ratio.low <= (1 - after) / (1 - before) <= ratio.high)
    assert 0.912 <= np.mean(differences) <= 0.99
    assert np.mean(ratios) >= 0.912


def test_one_condition_is_hardly_wider_than_without_clusters() -> None:
    _, hits = answers(np.random.default_rng(2), 400, 1, 0.8, 0.0)
    found, plain = (
        clustered_share(hits, confidence=0.95),
        share_interval(int(hits.sum()), 400, confidence=0.95),
    )
    assert found.value == plain.value
    assert (found.high - found.low) == pytest.approx(plain.high - plain.low, rel=0.03)


def test_the_same_answers_under_every_condition_are_one_observation_each() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.random((2, 1, 300)) < 0.8
    repeated = clustered_share_difference(
        np.repeat(first, 50, axis=0), np.repeat(second, 50, axis=0), confidence=0.9
    )
    counts = [
        int((first == a).sum() and ((first == a) & (second == b)).sum())
        for a, b in ((True, True), (True, False), (False, True), (False, False))
    ]
    plain = paired_difference(*counts, confidence=0.9)
    assert repeated.n == 300
    assert repeated.low == pytest.approx(plain.low, abs=1e-3)
    assert repeated.high == pytest.approx(plain.high, abs=1e-3)


def test_no_interval_of_a_share_is_a_point() -> None:
    for hits in (np.ones((9, 40), np.bool_), np.zeros((9, 40), np.bool_)):
        estimate = clustered_share(hits, confidence=0.95)
        assert estimate.high - estimate.low > 0.05
        same = clustered_share_difference(hits, hits, confidence=0.95)
        assert same.low < 0 < same.high
    ratio = ratio_of_means(np.full(40, 0.5), np.full(40, 0.5), confidence=0.95)
    assert ratio is not None
    assert ratio.low < 1 < ratio.high


def test_a_mean_is_students() -> None:
    values = np.random.default_rng(4).gamma(2.0, size=30)
    found = student_mean(values, confidence=0.9, unit="label")
    low, high = stats.t.interval(0.9, 29, values.mean(), stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_what_is_undefined_has_no_figure() -> None:
    assert student_mean(np.ones(1), confidence=0.95, unit="x") is None
    assert ratio_of_means(np.ones(4), np.zeros(4), confidence=0.95) is None
