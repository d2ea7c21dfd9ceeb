from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics.order_statistics import (
    Refusal,
    early_stopping_percentile,
    grouped_percentile_interval,
    over_latency_allowed,
    percentile_interval,
    queries_needed,
    queries_needed_early_stopping,
)


def ranks(count: int, percent: float, confidence: float) -> tuple[int, int, int]:
    """Ranks of low end, value and high end, read off values that are their own ranks."""
    found = percentile_interval(
        np.arange(1, count + 1, dtype=np.float64),
        percent,
        confidence=confidence,
        unit="ms",
    )
    assert isinstance(found, Estimate)
    return int(found.low), int(found.value), int(found.high)


def coverage(count: int, percent: float, low: int, high: int) -> float:
    share = percent / 100
    inside = stats.binom.cdf(high - 1, count, share) - stats.binom.cdf(low - 1, count, share)
    return float(inside)


def test_the_median_of_one_hundred_has_the_ranks_of_the_tables() -> None:
    # The tables give 40 and 61 at equal tails (96.5 %); 41 and 61 still cover 95.4 %.
    assert coverage(100, 50, 40, 61) == pytest.approx(0.9648, abs=1e-4)
    assert coverage(100, 50, 41, 61) == pytest.approx(0.9540, abs=1e-4)
    assert ranks(100, 50, 0.95) == (41, 50, 61)


@given(
    st.integers(459, 1_000_000),
    st.sampled_from([1.0, 10.0, 25.0, 50.0, 90.0, 99.0]),
    st.sampled_from([0.8, 0.9, 0.95, 0.98]),
)
def test_ranks_cover_by_the_binomial_distribution_and_no_more_than_needed(
    count: int, percent: float, confidence: float
) -> None:
    low, value, high = ranks(count, percent, confidence)
    assert 1 <= low <= value <= high <= count
    assert value == math.ceil(round(percent / 100 * count, 6))
    assert coverage(count, percent, low, high) >= confidence - 1e-9
    assert coverage(count, percent, low + 1, high) < confidence
    assert coverage(count, percent, low, high - 1) < confidence


@given(st.sampled_from([50.0, 75.0, 90.0, 99.0, 99.9]), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_number_needed_is_the_smallest_that_is_not_refused(
    percent: float, confidence: float
) -> None:
    needed = queries_needed(percent, confidence)
    share, tail = percent / 100, (1 - confidence) / 2
    assert max(share**needed, (1 - share) ** needed) <= tail
    assert share ** (needed - 1) > tail
    enough = percentile_interval(np.arange(needed), percent, confidence=confidence, unit="ms")
    short = percentile_interval(np.arange(needed - 1), percent, confidence=confidence, unit="ms")
    assert isinstance(enough, Estimate)
    assert isinstance(short, Refusal)
    assert short.needed == needed
    assert f"needs {needed} queries, found {needed - 1}" in short.reason


def test_p999_from_twenty_runs_is_refused() -> None:
    refused = percentile_interval(np.arange(20.0), 99.9, confidence=0.95, unit="ms")
    assert isinstance(refused, Refusal)
    assert refused.needed == 3688
    assert refused.reason == "p99.9 at 95 % confidence needs 3688 queries, found 20"


def test_mlperf_counts() -> None:
    # The counts that LoadGen's early stopping gives for one query above the bound.
    assert [queries_needed_early_stopping(percent) for percent in (90, 95, 97, 99, 99.9)] == [
        64,
        130,
        219,
        662,
        6636,
    ]


@pytest.mark.parametrize("over", [0, 1, 5, 40])
def test_early_stopping_is_the_smallest_count_by_scipy(over: int) -> None:
    found = queries_needed_early_stopping(90, over_latency_count=over)
    assert stats.binom.cdf(over, found, 0.1) <= 0.01
    assert stats.binom.cdf(over, found - 1, 0.1) > 0.01


def _lognormal(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    return np.exp(generator.normal(0.0, 0.4, shape))


def _bimodal(generator: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    slow = generator.random(shape) < 0.15
    return generator.normal(1.0, 0.02, shape) + slow * generator.normal(1.5, 0.1, shape)


Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]


@pytest.mark.parametrize("draw", [_lognormal, _bimodal])
@pytest.mark.parametrize(("percent", "count"), [(50, 1000), (90, 1000), (99, 1000), (99, 3000)])
def test_intervals_cover_as_often_as_they_say(draw: Draw, percent: int, count: int) -> None:
    generator = np.random.default_rng(20 + percent)
    samples = np.sort(draw(generator, (1200, count)), axis=1)
    truth = np.quantile(draw(np.random.default_rng(5), (1, 1_000_000)), percent / 100)
    hits = 0
    for row in samples:
        found = percentile_interval(row, percent, confidence=0.95, unit="ms")
        assert isinstance(found, Estimate)
        hits += bool(found.low <= truth <= found.high)
    assert 0.93 <= hits / len(samples) <= 0.97


@pytest.mark.parametrize(("percent", "each"), [(50, 170), (90, 170), (99, 170), (99, 69)])
@pytest.mark.parametrize("start_sd", [0.0, 0.02, 0.5])
def test_six_starts_cover_however_much_they_differ(
    percent: float, each: int, start_sd: float
) -> None:
    generator = np.random.default_rng(9)
    trials = 800
    truth = np.exp(0.4 * stats.norm.ppf(percent / 100))
    shifts = np.exp(generator.normal(0.0, start_sd, (trials, 6, 1)))
    samples = shifts * np.exp(generator.normal(0.0, 0.4, (trials, 6, each)))
    hits = 0
    for groups in samples:
        found = grouped_percentile_interval(list(groups), percent, confidence=0.95, unit="ms")
        assert isinstance(found, Estimate)
        assert found.n == 6
        hits += bool(found.low <= truth <= found.high)
    # Six observations cover their median 96.9 % of the time: 1 - 2 / 2 ** 6.
    assert 0.95 <= hits / trials <= 0.98


def test_starts_that_drift_apart_give_the_range_of_the_starts() -> None:
    groups = [np.arange(1000.0) + 100 * start for start in range(6)]
    found = grouped_percentile_interval(groups, 90, confidence=0.95, unit="ms")
    assert isinstance(found, Estimate)
    assert found.low == pytest.approx(np.quantile(groups[0], 0.9, method="median_unbiased"))
    assert found.high == pytest.approx(np.quantile(groups[5], 0.9, method="median_unbiased"))
    assert found.value == np.sort(np.concatenate(groups))[5399]


@pytest.mark.parametrize(
    ("sizes", "percent", "reason", "needed"),
    [
        ([100] * 5, 50, "p50 at 95 % confidence needs 6 starts, found 5", 6),
        ([68] * 6, 99, "p99 at 95 % confidence needs 414 queries, found 408", 414),
        ([5] * 6, 90, "p90 at 95 % confidence needs 42 queries, found 30", 42),
        ([100] * 5 + [0], 50, "p50 at 95 % confidence needs 6 starts, found 5", 6),
    ],
)
def test_too_few_starts_or_queries_are_refused(
    sizes: list[int], percent: float, reason: str, needed: int
) -> None:
    refused = grouped_percentile_interval(
        [np.arange(float(size)) for size in sizes], percent, confidence=0.95, unit="ms"
    )
    assert refused == Refusal(reason=reason, needed=needed)


def test_equal_values_give_an_interval_of_no_width() -> None:
    found = grouped_percentile_interval([np.ones(80)] * 6, 99, confidence=0.95, unit="ms")
    assert isinstance(found, Estimate)
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("percent", [0, 100, -1, float("nan")])
def test_percentiles_outside_their_range_are_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        queries_needed(percent, 0.95)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidences_outside_their_range_are_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        queries_needed(50, confidence)


@pytest.mark.parametrize("percent", [50, 90, 99, 99.9])
@pytest.mark.parametrize("count", [1, 64, 662, 1001, 6636, 20_000])
def test_allowed_queries_over_the_bound_are_the_most_that_early_stopping_believes(
    percent: float, count: int
) -> None:
    allowed = over_latency_allowed(count, percent)
    if allowed >= 0:
        assert queries_needed_early_stopping(percent, over_latency_count=allowed) <= count
    assert queries_needed_early_stopping(percent, over_latency_count=allowed + 1) > count


def test_no_queries_allow_nothing() -> None:
    assert over_latency_allowed(0, 99) == -1


@pytest.mark.parametrize("count", [64, 200, 1024])
def test_the_early_stopping_estimate_is_not_below_the_percentile_in_99_of_100(count: int) -> None:
    generator = np.random.default_rng(count)
    true = np.log(10)
    missed = 0
    for _ in range(3000):
        found = early_stopping_percentile(np.sort(generator.exponential(1.0, count)), 90)
        assert isinstance(found, float)
        missed += found < true
    assert missed / 3000 < 0.015
