"""How many more samples settle a bound: enough, and not one more than that."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.statistics import clopper_pearson, samples_to_settle, share_interval


@given(
    n=st.integers(min_value=20, max_value=500),
    share=st.floats(min_value=0.0, max_value=1.0),
    place=st.floats(min_value=0.05, max_value=0.95),
)
def test_a_share_is_settled_by_about_so_many_more(n: int, share: float, place: float) -> None:
    hits = round(share * n)
    estimate = share_interval(hits, n, confidence=0.95)
    bound = estimate.low + place * (estimate.high - estimate.low)
    assume(abs(estimate.value - bound) > 0.02)
    more = samples_to_settle(estimate, bound)
    assert more is not None
    # Whole multiples of the set keep the value as it is.
    times = math.ceil((n + more) / n)
    settled = share_interval(times * hits, times * n, confidence=0.95)
    assert not settled.low <= bound <= settled.high
    times = math.floor(0.7 * (n + more) / n)
    if times >= 1:
        open_still = share_interval(times * hits, times * n, confidence=0.95)
        assert open_still.low <= bound <= open_still.high


@pytest.mark.parametrize(
    ("successes", "n", "bound", "expected_n"),
    [(0, 100, 0.01, 368), (100, 100, 0.99, 368), (0, 30, 0.05, 72)],
)
def test_clopper_pearson_without_any_event_follows_the_rule_of_three(
    successes: int, n: int, bound: float, expected_n: int
) -> None:
    # (1 - bound)^n = 0.025, solved for n.
    more = samples_to_settle(clopper_pearson(successes, n, confidence=0.95), bound)
    assert more is not None
    assert abs(n + more - expected_n) <= 1


def test_clopper_pearson_is_settled_by_so_many_more() -> None:
    more = samples_to_settle(clopper_pearson(2, 200, confidence=0.95), 0.02)
    assert more is not None
    total = 200 + more
    assert clopper_pearson(total // 100, total, confidence=0.95).high < 0.02
    assert clopper_pearson(total // 110, total * 9 // 11, confidence=0.95).high > 0.018


def test_other_intervals_shrink_with_the_root_of_n() -> None:
    estimate = Estimate(
        value=5.0, low=4.0, high=7.0, confidence=0.9, n=100, method="bootstrap-bca", unit="ms"
    )
    assert samples_to_settle(estimate, 4.5) == 301  # half the arm: four times as many, and one
    assert samples_to_settle(estimate, 6.0) == 301


def test_nothing_more_is_needed_when_the_bound_is_outside() -> None:
    assert samples_to_settle(share_interval(90, 100, confidence=0.95), 0.5) == 0
    assert samples_to_settle(exact(12.0, unit="KiB"), 13.0) == 0


@pytest.mark.parametrize(
    ("estimate", "bound"),
    [
        (share_interval(90, 100, confidence=0.95), 0.9),
        (exact(12.0, unit="KiB"), 12.0),
        (share_interval(900_001, 1_000_000, confidence=0.95), 0.9),
        (clopper_pearson(500_001, 1_000_000, confidence=0.95), 0.5),
    ],
)
def test_it_is_not_told_when_no_number_of_samples_would_do(
    estimate: Estimate, bound: float
) -> None:
    assert samples_to_settle(estimate, bound) is None
