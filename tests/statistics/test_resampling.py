"""The bootstrap and the block jackknife: against scipy, and what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import (
    Jackknifed,
    Replicates,
    block_jackknife,
    bootstrap,
    clipped,
    half_sample_bias,
    replicate,
    unseen_share,
    widened,
)
from edgeworthy.statistics.resampling import Statistic

Array = NDArray[np.float64]


def mean_of(values: Array) -> Statistic:
    return lambda weights: weights @ values / weights.sum(axis=1)


def skewed(n: int, seed: int = 3) -> Array:
    return np.random.default_rng(seed).exponential(size=n)


def test_the_interval_of_a_skewed_mean_is_close_to_scipys_bca() -> None:
    values = skewed(400)
    estimate = bootstrap(mean_of(values), 400, confidence=0.95, seed=1, resamples=9999, unit="s")
    expected = stats.bootstrap(
        (values,), np.mean, confidence_level=0.95, n_resamples=9999, method="BCa", rng=2
    ).confidence_interval
    width = expected.high - expected.low
    assert estimate.low == pytest.approx(expected.low, abs=0.06 * width)
    assert estimate.high == pytest.approx(expected.high, abs=0.06 * width)
    assert (estimate.method, estimate.n, estimate.unit) == ("bootstrap-bca", 400, "s")


def test_the_acceleration_is_the_one_of_the_jackknife() -> None:
    values = skewed(50)
    (found,) = replicate(mean_of(values), np.ones(50, dtype=np.int64), seed=1)
    deviations = values - values.mean()
    # For a mean the influence of a sample is its deviation.
    expected = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    assert found.acceleration == pytest.approx(expected)


def test_cells_and_single_samples_follow_the_same_law() -> None:
    values, counts = np.array([0.0, 1.0, 5.0]), np.array([500, 300, 200])
    (cells,) = replicate(mean_of(values), counts, seed=1, resamples=4000)
    singles = np.repeat(values, counts)
    (samples,) = replicate(mean_of(singles), np.ones(1000, dtype=np.int64), seed=2, resamples=4000)
    (few,) = replicate(mean_of(values), np.array([3, 2, 1]), seed=3, resamples=4000)
    assert cells.value == samples.value == pytest.approx(1.3)
    assert np.std(cells.draws) == pytest.approx(np.std(samples.draws), rel=0.05)
    assert cells.acceleration == pytest.approx(stats.skew(singles) / (6 * 1000**0.5), rel=0.01)
    # Single samples are left out in groups, which adds noise.
    assert samples.acceleration == pytest.approx(cells.acceleration, abs=0.009)
    six = np.repeat(values, [3, 2, 1])
    assert np.std(few.draws) == pytest.approx(np.std(six) / np.sqrt(6), rel=0.05)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = skewed(60)
    one, two, other = (
        bootstrap(mean_of(values), 60, confidence=0.9, seed=seed) for seed in (5, 5, 6)
    )
    assert one == two
    assert one != other


def test_several_figures_share_their_resamples() -> None:
    values = skewed(80)

    def both(weights: Array) -> Array:
        mean = mean_of(values)(weights)
        return np.stack([mean, -mean], axis=1)

    first, second = replicate(both, np.ones(80, dtype=np.int64), seed=1)
    assert np.array_equal(first.draws, -second.draws)


def test_memory_is_bounded_by_blocks_of_resamples() -> None:
    rows: list[int] = []
    values = np.ones(100_000)

    def watched(weights: Array) -> Array:
        rows.append(len(weights))
        return mean_of(values)(weights)

    bootstrap(watched, 100_000, confidence=0.95, seed=1, resamples=45)
    assert max(rows) == 2  # a quarter of a million weights at a time
    assert sum(rows) == 45 + 1


def test_data_without_variation_give_a_point() -> None:
    estimate = bootstrap(mean_of(np.ones(9)), 9, confidence=0.95, seed=1)
    assert (estimate.low, estimate.value, estimate.high) == (1.0, 1.0, 1.0)
    assert estimate.method == "bootstrap-percentile"


def test_resamples_on_which_the_figure_is_undefined_are_left_out() -> None:
    kind = np.array([1.0, 0.0, 0.0])

    def ratio(weights: Array) -> Array:
        chosen = weights @ kind
        return np.where(chosen > 0, 3.0, np.nan)

    (found,) = replicate(ratio, np.ones(3, dtype=np.int64), seed=1, resamples=500)
    assert 0 < len(found.draws) < 500
    assert found.acceleration == 0.0
    assert found.interval(confidence=0.9, unit="x").high == 3.0


def test_a_figure_that_is_never_defined_without_a_sample_has_no_acceleration() -> None:
    def all_or_nothing(weights: Array) -> Array:
        return np.where(weights.sum(axis=1) == 3, weights[:, 0], np.nan)

    (found,) = replicate(all_or_nothing, np.ones(3, dtype=np.int64), seed=1, resamples=50)
    assert found.acceleration == 0.0


def test_without_a_single_draw_the_interval_is_the_value() -> None:
    empty = Replicates(2.0, np.array([]), 0.0, 3, 3)
    estimate = empty.interval(confidence=0.9, unit="x")
    assert (estimate.low, estimate.high) == (2.0, 2.0)


def test_an_acceleration_beyond_all_bounds_falls_back_to_percentiles() -> None:
    draws = np.linspace(0.0, 1.0, 101)
    wild = Replicates(0.7, draws, 2.0, 1000, 1000)
    assert wild.interval(confidence=0.95, unit="x").method == "bootstrap-percentile"


def test_under_five_samples_the_arms_are_at_least_students() -> None:
    values = np.array([1.0, 2.0, 4.0])
    estimate = bootstrap(mean_of(values), 3, confidence=0.95, seed=1, resamples=4000)
    student = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert estimate.low == pytest.approx(student[0], rel=0.1)
    assert estimate.method.endswith("+student-t")


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999, 0.99999])
def test_any_number_of_samples_at_any_confidence_gives_an_interval(
    n: int, confidence: float
) -> None:
    values = skewed(n)
    estimate = bootstrap(mean_of(values), n, confidence=confidence, seed=1, resamples=200)
    assert estimate.low <= values.mean() + 1e-12
    assert estimate.high >= values.mean() - 1e-12
    assert (n == 1) == (estimate.low == estimate.high)


def test_the_centered_interval_takes_only_the_spread() -> None:
    biased = Replicates(1.0, np.linspace(4.0, 6.0, 2001), 0.0, 10_000, 10_000)
    estimate = biased.centered_interval(confidence=0.9, unit="x")
    assert (estimate.low, estimate.high) == pytest.approx((0.1, 1.9), abs=0.01)


@pytest.mark.parametrize("counts", [[], [1, 0, 2]])
def test_an_empty_cell_is_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError) as caught:
        replicate(mean_of(np.ones(len(counts))), np.array(counts, dtype=np.int64), seed=1)
    assert "at least one sample" in str(caught.value)


@pytest.mark.parametrize(("n", "least"), [(10, 0.90), (20, 0.91), (60, 0.92)])
def test_the_mean_of_a_skewed_distribution_is_covered_even_by_few_samples(
    n: int, least: float
) -> None:
    generator = np.random.default_rng(11)
    covered = 0
    for seed in range(300):
        values = generator.exponential(size=n)
        estimate = bootstrap(mean_of(values), n, confidence=0.95, seed=seed, resamples=400)
        covered += estimate.low <= 1.0 <= estimate.high
    assert least <= covered / 300 <= 0.985


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = skewed(5000)
    found = block_jackknife(mean_of(values), np.ones(5000, dtype=np.int64), seed=1)
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(stats.sem(values), rel=0.25)
    estimate = found.interval(confidence=0.95, unit="s")
    assert estimate.high - estimate.value == pytest.approx(1.984 * found.error, rel=1e-3)
    assert estimate.method == "block-jackknife"


def test_the_jackknife_without_blocks_is_exact_for_a_mean() -> None:
    values, counts = np.array([0.0, 1.0, 5.0]), np.array([10, 6, 4])
    found = block_jackknife(mean_of(values), counts, seed=1, blocks=20)
    assert found.error == pytest.approx(stats.sem(np.repeat(values, counts)))


def test_the_jackknife_of_a_figure_undefined_without_a_block_is_a_point() -> None:
    def fragile(weights: Array) -> Array:
        return np.where(weights.sum(axis=1) == 4, 1.0, np.nan)

    assert block_jackknife(fragile, np.ones(4, dtype=np.int64), seed=1).error == 0.0


@pytest.mark.parametrize(("counts", "blocks"), [([1], 100), ([5, 0], 100), ([5], 1)])
def test_a_jackknife_needs_two_of_everything(counts: list[int], blocks: int) -> None:
    with pytest.raises(ValueError) as caught:
        block_jackknife(mean_of(np.ones(len(counts))), np.array(counts), seed=1, blocks=blocks)
    assert "two samples" in str(caught.value)


@given(n=st.integers(min_value=1, max_value=10**6))
def test_an_unseen_share_is_one_that_is_often_missed(n: int) -> None:
    share = unseen_share(n, confidence=0.95)
    assert stats.binom.pmf(0, n, share) == pytest.approx(0.025, rel=1e-6)


def test_widening_never_narrows_and_says_so() -> None:
    estimate = Estimate(
        value=0.5, low=0.4, high=0.6, confidence=0.9, n=7, method="wilson", unit="ratio"
    )
    assert widened(estimate, below=0.05, above=0.1, floor="x") == estimate
    wide = widened(estimate, below=0.2, above=0.0, floor="x")
    assert (wide.low, wide.high, wide.method) == (0.3, 0.6, "wilson+x")
    inside = clipped(wide, smallest=0.35, largest=0.55)
    assert (inside.low, inside.high) == (0.35, 0.55)


def test_a_jackknife_on_the_scale_of_log_odds_is_the_delta_method() -> None:
    shares = np.linspace(0.5, 0.99, 60)
    found = block_jackknife(
        lambda weights: weights @ shares / weights.sum(axis=1),
        np.ones(60, dtype=np.int64),
        seed=1,
        blocks=60,
    )
    # Leaving out one at a time gives a mean's standard error exactly.
    error = shares.std(ddof=1) / 60**0.5
    assert found.error == pytest.approx(error)
    estimate = found.logit_interval(confidence=0.95, unit="ratio")
    middle = special.logit(shares.mean())
    arm = stats.t.ppf(0.975, 59) * error / (shares.mean() * (1 - shares.mean()))
    expected = special.expit([middle - arm, middle + arm])
    assert (estimate.low, estimate.high) == pytest.approx(tuple(expected))
    assert estimate.method == "jackknife-logit"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_at_the_end_of_the_range_there_is_no_log_odds(value: float) -> None:
    found = Jackknifed(value=value, error=0.0, blocks=5, n=5)
    estimate = found.logit_interval(confidence=0.95, unit="ratio")
    assert (estimate.low, estimate.high, estimate.method) == (value, value, "block-jackknife")


@pytest.mark.parametrize("skewness", [-1.5, -0.3, 0.0, 0.4, 2.0])
def test_halls_correction_undoes_his_transformation(skewness: float) -> None:
    found = Jackknifed(value=0.2, error=0.1, blocks=25, n=25, skewness=skewness)
    estimate = found.skewed_interval(confidence=0.95, unit="ratio")
    ends = []
    for end in (estimate.low, estimate.high):
        t, lean = (0.2 - end) / 0.1, skewness / 5.0
        # Hall 1992, formula 2.1, with his a = 1/3 and b = 1/6.
        ends.append(t + lean * t**2 / 3 + lean**2 * t**3 / 27 + lean / 6)
    assert ends == pytest.approx([stats.t.ppf(0.975, 24), -stats.t.ppf(0.975, 24)])
    assert estimate.method == "jackknife-skewed"


def test_a_block_jackknife_knows_the_skewness_of_a_mean() -> None:
    values = skewed(80)
    found = block_jackknife(mean_of(values), np.ones(80, dtype=np.int64), seed=1, blocks=80)
    assert found.skewness == pytest.approx(stats.skew(values))


def test_halves_show_the_bias_of_a_variance() -> None:
    values = skewed(60)

    def variance(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = mean_of(values)(weights)
        return np.asarray(mean_of(values**2)(weights) - mean**2)

    # The variance with n in its denominator is too small by 1 / n of the true one.
    bias = half_sample_bias(variance, 60, seed=1, halvings=4000)
    assert bias == pytest.approx(-values.var(ddof=1) / 60, rel=0.05)
    assert half_sample_bias(mean_of(values), 60, seed=1) == pytest.approx(0.0, abs=1e-12)
    assert half_sample_bias(mean_of(values), 1, seed=1) == 0.0


def test_a_figure_with_a_bias_has_both_intervals_together() -> None:
    plain = Jackknifed(value=0.5, error=0.1, blocks=25, n=25, skewness=0.3)
    one = plain.skewed_interval(confidence=0.95, unit="ratio")
    two = replace(plain, bias=0.02).skewed_interval(confidence=0.95, unit="ratio")
    assert (two.low, two.high) == pytest.approx((one.low - 0.02, one.high))


def test_many_samples_left_out_in_groups_have_the_same_skewness() -> None:
    values = skewed(1200)
    (grouped,) = replicate(mean_of(values), np.ones(1200, dtype=np.int64), seed=1, resamples=2)
    alone = stats.skew(values) / (6 * 1200**0.5)
    # Groups of six add noise of about 0.003 to 0.009.
    assert grouped.acceleration == pytest.approx(alone, abs=0.009)
    assert grouped.acceleration > 0.0
