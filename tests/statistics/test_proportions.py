"""Intervals for shares: against other implementations, and by how often they cover."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import (
    clopper_pearson,
    normal_quantile,
    paired_difference,
    share_interval,
)
from edgeworthy.statistics.proportions import tango_limits

COUNTS = st.integers(min_value=1, max_value=20_000).flatmap(
    lambda n: st.tuples(st.integers(min_value=0, max_value=n), st.just(n))
)
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])


def holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low - 1e-12 <= truth <= estimate.high + 1e-12


@given(counts=COUNTS, confidence=CONFIDENCES)
def test_clopper_pearson_is_scipys(counts: tuple[int, int], confidence: float) -> None:
    successes, n = counts
    estimate = clopper_pearson(successes, n, confidence=confidence)
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    assert estimate.low == pytest.approx(expected.low, rel=1e-7, abs=1e-12)
    assert estimate.high == pytest.approx(expected.high, rel=1e-7, abs=1e-12)
    assert estimate.method == "clopper-pearson"


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError) as caught:
        clopper_pearson(successes, n, confidence=0.95)
    assert f"{successes}, {n}" in str(caught.value)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5])
def test_impossible_confidences_are_refused(confidence: float) -> None:
    with pytest.raises(ValueError) as caught:
        clopper_pearson(1, 2, confidence=confidence)
    assert str(confidence) in str(caught.value)


def test_a_share_is_never_certain_however_unanimous_the_samples() -> None:
    assert clopper_pearson(5, 5, confidence=0.95).low < 0.5
    same = paired_difference(5, 0, 0, 0, confidence=0.95)
    assert same.low < -0.4
    assert same.high > 0.4


def test_tangos_interval_is_his_published_one() -> None:
    # Tango 1998, cross-over trial of contact lens soaking solutions: 43, 0, 1, 0.
    estimate = paired_difference(43, 0, 1, 0, confidence=0.95)
    assert estimate.value == pytest.approx(-1 / 44)
    assert (round(estimate.low, 3), round(estimate.high, 3)) == (-0.118, 0.059)
    assert estimate.method == "tango-score"


def score_statistic(n10: int, n01: int, n: int, difference: float) -> float:
    """The same statistic from the likelihood itself, maximized numerically."""

    def surprise(n01_share: float) -> float:
        cells = (n01_share + difference, n01_share, 1 - 2 * n01_share - difference)
        pairs = zip((n10, n01, n - n10 - n01), cells, strict=True)
        return -math.fsum(k * math.log(max(p, 1e-300)) for k, p in pairs if k)

    lowest, highest = max(0.0, -difference), (1 - difference) / 2
    best = optimize.minimize_scalar(
        surprise, bounds=(lowest, highest), method="bounded", options={"xatol": 1e-12}
    )
    variance = n * (2 * best.x + difference * (1 - difference))
    return (n10 - n01 - n * difference) / math.sqrt(variance)


@pytest.mark.parametrize(
    ("n10", "n01", "n"), [(12, 5, 100), (3, 7, 40), (1, 1, 25), (30, 2, 60), (9, 4, 1000)]
)
def test_the_ends_of_tangos_interval_are_where_the_score_test_just_rejects(
    n10: int, n01: int, n: int
) -> None:
    estimate = paired_difference(n - n10 - n01, n10, n01, 0, confidence=0.95)
    assert score_statistic(n10, n01, n, estimate.low) == pytest.approx(1.959964, abs=1e-3)
    assert score_statistic(n10, n01, n, estimate.high) == pytest.approx(-1.959964, abs=1e-3)


@given(
    cells=st.tuples(*[st.integers(min_value=0, max_value=400)] * 4).filter(any),
    confidence=CONFIDENCES,
)
def test_a_paired_difference_turns_with_its_sides(
    cells: tuple[int, int, int, int], confidence: float
) -> None:
    n11, n10, n01, n00 = cells
    one = paired_difference(n11, n10, n01, n00, confidence=confidence)
    other = paired_difference(n11, n01, n10, n00, confidence=confidence)
    assert -1.0 <= one.low <= one.value <= one.high <= 1.0
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@pytest.mark.parametrize("n", [5, 10, 20, 50, 200])
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_clopper_pearson_covers_at_least_as_often_as_it_says(n: int, rate: float) -> None:
    counts = np.arange(n + 1)
    covered = [holds(clopper_pearson(int(k), n, confidence=0.95), rate) for k in counts]
    assert stats.binom.pmf(counts, n, rate) @ np.array(covered) >= 0.95 - 1e-9


@pytest.mark.parametrize(
    ("n", "shares", "least", "most"),
    [
        (20, (0.85, 0.10, 0.02, 0.03), 0.94, 1.0),
        (30, (0.60, 0.20, 0.10, 0.10), 0.93, 0.97),
        (50, (0.85, 0.10, 0.02, 0.03), 0.93, 0.97),
        (100, (0.90, 0.02, 0.02, 0.06), 0.93, 0.97),
        (200, (0.98, 0.01, 0.01, 0.00), 0.93, 0.97),
        (200, (0.94, 0.01, 0.005, 0.045), 0.93, 0.975),
        (500, (0.98, 0.01, 0.01, 0.00), 0.93, 0.97),
        # Hardly a discordant sample: nothing to see, so every method covers too often.
        (20, (0.98, 0.01, 0.01, 0.00), 0.95, 1.0),
    ],
)
def test_a_paired_difference_covers_as_often_as_it_says(
    n: int, shares: tuple[float, ...], least: float, most: float
) -> None:
    drawn = np.random.default_rng(1).multinomial(n, shares, size=20_000)
    tables, counts = np.unique(drawn, axis=0, return_counts=True)
    truth = shares[1] - shares[2]
    covered = [
        holds(paired_difference(*(int(c) for c in table), confidence=0.95), truth)
        for table in tables
    ]
    assert least <= counts @ np.array(covered) / counts.sum() <= most


def coverage_of_differences(n: int, *, beside_ends: bool) -> list[float]:
    """Exact coverage over shares of samples that differ, or of differences beside ends."""
    tables = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
    found = [paired_difference(0, int(a), int(b), int(c), confidence=0.95) for a, b, c in tables]
    low, high = (np.array([getattr(e, end) for e in found]) for end in ("low", "high"))
    edge = np.array([0.0001, 0.001, 0.005, 0.01, 0.02, 0.05])
    differing = [*edge, *np.linspace(0.06, 0.94, 23), *(1 - edge), 1.0]
    splits = [0.0, *edge, *np.linspace(0.08, 0.5, 15)]
    pairs = [(share * (1 - split), share * split) for share in differing for split in splits]
    if beside_ends:
        ends = np.unique(np.round([low, high], 10))
        truths = [*(ends[ends > 0] - 2e-9), *(ends[(ends > 0) & (ends < 1)] + 2e-9)]
        pairs = [((q + d) / 2, (q - d) / 2) for d in truths for q in differing if q >= d]
    covered = []
    for more, less in pairs:
        held = (low <= more - less + 1e-12) & (more - less <= high + 1e-12)
        chances = stats.multinomial.pmf(tables[held], n, (more, less, max(1 - more - less, 0.0)))
        covered.append(float(chances.sum()))
    return covered


@pytest.mark.parametrize(
    ("n", "truths"),
    [
        (5, "grid"),
        (10, "grid"),
        (20, "grid"),
        (30, "grid"),
        (5, "beside ends"),
        (10, "beside ends"),
    ],
)
def test_no_difference_is_covered_in_less_than_93_percent(n: int, truths: str) -> None:
    covered = coverage_of_differences(n, beside_ends=truths == "beside ends")
    assert min(covered) >= 0.93  # Tango's alone: 0.84 to 0.90
    assert np.mean(covered) <= 0.99


@pytest.mark.parametrize("n", [20, 50, 100, 200, 500])
def test_what_is_lost_is_covered_in_93_percent_where_nothing_is_gained(n: int) -> None:
    lost = np.arange(n + 1)
    found = [paired_difference(n - int(k), int(k), 0, 0, confidence=0.95) for k in lost]
    low, high = (np.array([getattr(e, end) for e in found]) for end in ("low", "high"))
    ends = np.concatenate([low, high])
    ends = ends[(ends > 0) & (ends < 1)]
    truths = np.concatenate([np.linspace(0.001, 0.999, 999), ends * (1 - 1e-9), ends * (1 + 1e-9)])
    chances = stats.binom.pmf(lost, n, truths[:, None])
    held = (low <= truths[:, None]) & (truths[:, None] <= high)
    assert (chances * held).sum(axis=1).min() >= 0.93  # Tango's alone: 0.927 of 100


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [7, 20, 41])
def test_a_sample_more_that_is_lost_or_less_that_is_gained_moves_neither_end_down(
    n: int, confidence: float
) -> None:
    def ends(lost: int, gained: int) -> NDArray[np.float64]:
        found = paired_difference(n - lost - gained, lost, gained, 0, confidence=confidence)
        return np.array([found.low, found.high])

    for lost in range(n + 1):
        for gained in range(n - lost):
            here = ends(lost, gained) + 1e-12
            assert (here >= ends(lost, gained + 1)).all()
            assert (here - 2e-12 <= ends(lost + 1, gained)).all()


@given(
    counts=st.tuples(*[st.integers(min_value=0, max_value=60)] * 2),
    same=st.integers(min_value=0, max_value=2_000),
)
def test_a_surer_difference_holds_a_less_sure_one(counts: tuple[int, int], same: int) -> None:
    for lost, gained in (counts, (counts[0], 0)):
        if same + lost + gained == 0:
            continue
        found = [
            paired_difference(same, lost, gained, 0, confidence=each)
            for each in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
        ]
        for less, more in itertools.pairwise(found):
            assert more.low <= less.low + 1e-12
            assert less.high <= more.high + 1e-12


@pytest.mark.parametrize("n", [1, 5, 30, 400])
def test_where_all_samples_differ_or_none_the_other_way_a_difference_is_a_share(n: int) -> None:
    for hits in range(n // 3 + 1, n + 1):
        share = share_interval(hits, n, confidence=0.95)
        for_and_against = paired_difference(0, hits, n - hits, 0, confidence=0.95)
        assert for_and_against.low <= 2 * share.low - 1 + 1e-9
        assert for_and_against.high >= 2 * share.high - 1 - 1e-9
        only_for = paired_difference(n - hits, hits, 0, 0, confidence=0.95)
        assert only_for.low <= share.low + 1e-9
        assert only_for.high >= share.high - 1e-9
    for hits in range(n // 3 + 1):
        share = share_interval(hits, n, confidence=0.95)
        only_for = paired_difference(n - hits, hits, 0, 0, confidence=0.95)
        assert only_for.low <= share.low
        assert only_for.high >= share.high
    assert paired_difference(0, n - 1, 1, 0, confidence=0.95).method == "tango-score+blaker"


@given(
    counts=st.tuples(
        st.integers(min_value=1, max_value=60),
        st.integers(min_value=1, max_value=60),
        st.integers(min_value=0, max_value=5_000),
    ),
    confidence=CONFIDENCES,
)
def test_tangos_interval_is_as_it_was_where_at_most_a_quarter_differ_and_both_ways(
    counts: tuple[int, int, int], confidence: float
) -> None:
    lost, gained, more = counts
    same = 3 * (lost + gained) + more + 1
    found = paired_difference(same, lost, gained, 0, confidence=confidence)
    z = normal_quantile((1 + confidence) / 2)
    assert (found.low, found.high) == tango_limits(lost, gained, same + lost + gained, z=z)
    assert found.method == "tango-score"


def test_of_twenty_samples_every_difference_is_covered_too_often_where_few_differ() -> None:
    # Two lost and none gained: with 5 % each way it has a chance of 7.1 %, so that an interval
    # that leaves out no difference there would miss too often for a floor of 93 %.
    def chance(lost: int, gained: int, share: float) -> float:
        same = 20 - lost - gained
        return float(stats.multinomial.pmf((lost, gained, same), 20, (share, share, 1 - 2 * share)))

    assert 1 - chance(2, 0, 0.05) < 0.93
    # Fewer differing samples say even less. With 1 % each way two or fewer differ nearly always.
    tables = [(lost, gained) for lost in range(3) for gained in range(3 - lost)]
    assert sum(chance(*table, 0.01) for table in tables) > 0.992
    for lost, gained in tables:
        assert holds(paired_difference(20 - lost - gained, lost, gained, 0, confidence=0.95), 0.0)
