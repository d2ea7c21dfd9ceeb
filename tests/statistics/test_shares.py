"""The interval of a share: by its definition, and by how often it covers, computed exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics.shares import adjusted_miss, blaker_lower, share_interval

COUNTS = st.integers(min_value=1, max_value=20_000).flatmap(
    lambda n: st.tuples(st.integers(min_value=0, max_value=n), st.just(n))
)
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
Rates = NDArray[np.float64]


def acceptability(successes: int, n: int, rates: Rates) -> Rates:
    """Blaker's function by its definition: what is as far out in either tail, by enumeration."""
    counts = np.arange(n + 1)
    chances = stats.binom.pmf(counts, n, rates[:, None])
    tails = np.minimum(
        stats.binom.cdf(counts, n, rates[:, None]), stats.binom.sf(counts - 1, n, rates[:, None])
    )
    far_out = tails <= tails[:, [successes]] * (1 + 1e-12)
    return np.asarray((chances * far_out).sum(axis=1))


@pytest.mark.parametrize(
    ("successes", "n"), [(1, 1), (1, 7), (3, 10), (9, 10), (10, 10), (28, 30), (47, 90)]
)
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
def test_blakers_end_is_the_first_truth_that_his_definition_accepts(
    successes: int, n: int, alpha: float
) -> None:
    end = blaker_lower(successes, n, alpha)
    below = np.linspace(0.0, end, 2000, endpoint=False)[1:] * (1 - 1e-9)
    assert (acceptability(successes, n, below) < alpha + 1e-9).all()
    assert acceptability(successes, n, np.array([end * (1 + 1e-9)]))[0] >= alpha - 1e-6


def test_blakers_interval_is_the_published_one() -> None:
    # Klaschka's BlakerCI and Fay's exactci for R: 3 of 10 at 0.95.
    ends = blaker_lower(3, 10, 0.05), 1 - blaker_lower(7, 10, 0.05)
    assert ends == pytest.approx((0.0872644, 0.6194107), abs=1e-6)


@given(counts=COUNTS, confidence=CONFIDENCES)
def test_it_lies_inside_clopper_and_pearsons_and_turns_with_the_counts(
    counts: tuple[int, int], confidence: float
) -> None:
    successes, n = counts
    found = share_interval(successes, n, confidence=confidence)
    other = share_interval(n - successes, n, confidence=confidence)
    wide = stats.binomtest(successes, n).proportion_ci(1 - adjusted_miss(n, confidence))
    assert wide.low - 1e-9 <= found.low <= found.value <= found.high <= wide.high + 1e-9
    assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)
    assert found.low < found.high


@given(n=st.integers(min_value=1, max_value=60), confidence=CONFIDENCES)
def test_more_hits_move_both_ends_up(n: int, confidence: float) -> None:
    found = [share_interval(hits, n, confidence=confidence) for hits in range(n + 1)]
    assert (np.diff([each.low for each in found]) > 0).all()
    assert (np.diff([each.high for each in found]) > 0).all()


def ends_of(n: int, confidence: float) -> tuple[Rates, Rates]:
    found = [share_interval(hits, n, confidence=confidence) for hits in range(n + 1)]
    return np.array([each.low for each in found]), np.array([each.high for each in found])


def coverage(n: int, confidence: float, rates: Rates) -> Rates:
    low, high = ends_of(n, confidence)
    covered = (low <= rates[:, None]) & (rates[:, None] <= high)
    return np.asarray((stats.binom.pmf(np.arange(n + 1), n, rates[:, None]) * covered).sum(axis=1))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 20, 34, 55, 89, 144, 200])
def test_coverage_is_never_below_93_percent_at_any_truth(n: int) -> None:
    # Coverage falls only where an interval ends, so that just beside the ends is everywhere.
    ends = np.concatenate(ends_of(n, 0.95))
    beside = np.concatenate([ends * (1 - 1e-9), ends * (1 + 1e-9)])
    beside = beside[(beside > 0) & (beside < 1)]
    assert coverage(n, 0.95, beside).min() >= 1 - adjusted_miss(n, 0.95) - 1e-9
    assert adjusted_miss(n, 0.95) <= 0.07


@pytest.mark.parametrize("n", [5, 8, 13, 20, 34, 55, 89, 144, 200])
def test_mean_coverage_is_what_it_says(n: int) -> None:
    rates = (np.arange(2000) + 0.5) / 2000
    assert 0.9485 <= coverage(n, 0.95, rates).mean() <= (0.9705 if n < 20 else 0.953)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.99])
def test_the_mean_fits_at_other_confidences_too(confidence: float) -> None:
    rates = (np.arange(2000) + 0.5) / 2000
    assert coverage(60, confidence, rates).mean() == pytest.approx(confidence, abs=0.003)


def test_no_set_of_counts_covers_a_tenth_in_93_to_97_percent() -> None:
    """Rule 1: whatever the interval, of five samples and a truth of 0.1."""
    chances = stats.binom.pmf(np.arange(6), 5, 0.1)
    sums = [chances[[bool(s >> k & 1) for k in range(6)]].sum() for s in range(64)]
    assert not any(0.93 <= each <= 0.97 for each in sums)


@pytest.mark.parametrize("n", [10, 20, 50, 200])
def test_its_lower_end_is_safe_for_a_gate_on_high_accuracy(n: int) -> None:
    rates = np.linspace(0.9, 0.995, 96)
    low, _ = ends_of(n, 0.95)
    missed = (stats.binom.pmf(np.arange(n + 1), n, rates[:, None]) * (low > rates[:, None])).sum(1)
    assert missed.max() <= 0.045


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError) as caught:
        share_interval(successes, n, confidence=0.95)
    assert f"{successes}, {n}" in str(caught.value)


def test_a_share_is_never_certain_however_unanimous_the_samples() -> None:
    assert share_interval(5, 5, confidence=0.95).low < 0.6
    assert share_interval(0, 5, confidence=0.95).high > 0.4
