from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics.order_statistics import Refusal
from edgeworthy.statistics.paired_ratio import (
    RatioComparison,
    paired_ratio,
    pairs_needed,
    pairs_to_see,
)


def compare(subject: np.ndarray, baseline: np.ndarray) -> RatioComparison:
    found = paired_ratio(subject, baseline)
    assert isinstance(found, RatioComparison)
    return found


def test_the_published_example_of_hollander_and_wolfe() -> None:
    # Hamilton depression scale of nine patients (table 3.1): estimate -0.46, interval
    # [-0.786, -0.010] at 96.1 %, as R's wilcox.test(conf.int = TRUE) prints it.
    before = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    after = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    found = compare(np.exp(after), np.exp(before))
    assert np.log(found.ratio.value) == pytest.approx(-0.46, abs=5e-4)
    assert np.log(found.ratio.low) == pytest.approx(-0.786, abs=1e-9)
    assert np.log(found.ratio.high) == pytest.approx(-0.010, abs=1e-9)
    assert found.verdict == "faster"
    assert found.ratio.n == 9


@given(st.integers(6, 40), st.integers(0, 10_000))
def test_the_verdict_agrees_with_the_exact_signed_rank_test(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    subject = np.exp(generator.normal(0.1, 0.3, count))
    baseline = np.exp(generator.normal(0.0, 0.3, count))
    found = compare(subject, baseline)
    tested = stats.wilcoxon(np.log(subject) - np.log(baseline), method="exact")
    assert (found.verdict != "no difference") == (tested.pvalue <= 0.05)


def test_turning_the_pair_around_inverts_the_ratio() -> None:
    generator = np.random.default_rng(1)
    left, right = generator.uniform(1, 2, 30), generator.uniform(1, 2, 30)
    one, other = compare(left, right).ratio, compare(right, left).ratio
    assert one.value == pytest.approx(1 / other.value)
    assert one.low == pytest.approx(1 / other.high)


def test_a_slower_subject_is_called_slower() -> None:
    baseline = np.linspace(1, 9, 12)
    found = compare(baseline * 1.25, baseline)
    assert found.verdict == "slower"
    assert found.ratio.value == pytest.approx(1.25)


def test_many_pairs_are_merged_and_the_interval_still_covers() -> None:
    generator = np.random.default_rng(2)
    hits = 0
    for _ in range(150):
        found = compare(1.02 * np.exp(generator.normal(0, 0.05, 250)), np.ones(250))
        assert found.ratio.n == 250
        hits += found.ratio.low <= 1.02 <= found.ratio.high
    assert 0.92 <= hits / 150 <= 0.98


def test_too_few_pairs_are_refused() -> None:
    refused = paired_ratio(np.ones(5), np.ones(5))
    assert isinstance(refused, Refusal)
    assert refused.needed == pairs_needed(0.95) == 6
    assert refused.reason == "a ratio at 95 % confidence needs 6 pairs, found 5"


@pytest.mark.parametrize(
    ("subject", "baseline", "message"),
    [
        (np.ones(3), np.ones(4), "one shape"),
        (np.ones((2, 2)), np.ones((2, 2)), "one shape"),
        (np.array([1.0, 0.0]), np.ones(2), "above 0"),
        (np.array([1.0, np.nan]), np.ones(2), "finite"),
    ],
)
def test_what_is_no_pair_of_durations_is_refused(
    subject: np.ndarray, baseline: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        paired_ratio(subject, baseline)


def test_a_confidence_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        pairs_needed(1.0)


def test_equal_things_under_drift_and_bursts_differ_at_most_one_time_in_twenty() -> None:
    """Two equal models in random order: shared drift, bursts that hit one turn, skewed noise."""
    generator = np.random.default_rng(3)
    false_differences = 0
    trials = 1000
    for _ in range(trials):
        count = int(generator.choice([6, 12, 40]))
        drift = 1 + 0.5 * np.linspace(0, 1, count)[:, None] + np.array([0.0, 0.02])
        turns = drift * np.exp(generator.gamma(0.5, 0.1, (count, 2)))
        turns *= np.where(generator.random((count, 2)) < 0.1, 3.0, 1.0)
        turns = generator.permuted(turns, axis=1)
        false_differences += compare(turns[:, 0], turns[:, 1]).verdict != "no difference"
    assert false_differences / trials <= 0.05


def test_a_copy_slowed_by_five_percent_is_found_from_six_launches() -> None:
    generator = np.random.default_rng(4)
    trials = 500
    found = 0
    for _ in range(trials):
        shared = np.exp(generator.normal(0, 0.1, 6))
        subject = 1.05 * shared * np.exp(generator.normal(0, 0.01, 6))
        baseline = shared * np.exp(generator.normal(0, 0.01, 6))
        found += compare(subject, baseline).verdict == "slower"
    assert found / trials >= 0.8


@pytest.mark.parametrize(("difference", "least"), [(0.02, 6), (0.01, 11), (0.005, 36)])
def test_the_planned_number_of_pairs_sees_the_difference_in_eight_of_ten(
    difference: float, least: int
) -> None:
    count = pairs_to_see(0.01, difference)
    assert count == least
    generator = np.random.default_rng(0)
    seen = 0
    for _ in range(400):
        logs = generator.normal(np.log1p(difference), 0.01, count)
        found = paired_ratio(np.exp(logs), np.ones(count))
        assert not isinstance(found, Refusal)
        seen += found.verdict == "slower"
    assert seen / 400 > 0.75


def test_a_difference_beyond_reason_has_no_budget() -> None:
    assert pairs_to_see(0.1, 1e-6) is None
