"""Means of errors and of their squares: against scipy, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics.skewed import bonett_factor, log_student_arm, root_mean_square

Errors = NDArray[np.float64]


def test_an_arm_on_the_logarithmic_scale_is_the_delta_method() -> None:
    losses = np.random.default_rng(1).exponential(2.0, 25)
    low, high = stats.t.interval(0.9, 24, loc=losses.mean(), scale=stats.sem(losses))
    arm = log_student_arm(losses, confidence=0.9)
    assert arm * losses.mean() == pytest.approx((high - low) / 2)
    assert log_student_arm(np.zeros(5), confidence=0.9) == 0.0


def test_bonetts_factor_ends_where_it_has_no_meaning() -> None:
    assert bonett_factor(10, confidence=0.95) == pytest.approx(10 / (10 - stats.norm.ppf(0.975)))
    assert bonett_factor(2, confidence=0.95) == 1.0


def test_the_upper_end_is_that_of_a_studentized_bootstrap_one_resample_at_a_time() -> None:
    errors = np.random.default_rng(3).standard_t(5, 200)
    found = root_mean_square(errors, confidence=0.95, seed=(1,), resamples=4000)
    squares, generator = errors**2, np.random.default_rng(9)
    distances = []
    for _ in range(4000):
        again = generator.choice(squares, 200)
        distances.append(np.log(again.mean() / squares.mean()) / (stats.sem(again) / again.mean()))
    arm = -np.quantile(distances, 0.025) * stats.sem(squares) / squares.mean()
    expected = math.sqrt(squares.mean()) * math.exp(arm * (1 + 1 / math.sqrt(200)) / 2)
    # Two bootstraps of 4,000 differ by about 3 % of the arm.
    assert found.high - found.value == pytest.approx(expected - found.value, rel=0.12)
    assert found.value == pytest.approx(math.sqrt(np.mean(errors**2)))
    assert found.method == "bootstrap-t-log"


@pytest.mark.parametrize("errors", [np.zeros(6), np.ones(6), np.array([0.0, 0.0, 0.0, 2.0])])
def test_errors_that_say_nothing_still_give_an_interval(errors: Errors) -> None:
    found = root_mean_square(errors, confidence=0.95, seed=(1,), resamples=50)
    assert 0.0 <= found.low <= found.value <= found.high < math.inf


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("degrees", [5, 1000])
def test_a_root_mean_square_is_covered_with_normal_and_with_heavy_tails(
    n: int, degrees: int
) -> None:
    generator = np.random.default_rng(4)
    truth = math.sqrt(degrees / (degrees - 2))
    covered = [
        found.low <= truth <= found.high
        for at in range(1500)
        for found in (
            root_mean_square(
                generator.standard_t(degrees, n), confidence=0.95, seed=(at,), resamples=200
            ),
        )
    ]
    # The bias-corrected bootstrap covers 80 to 88 % of heavy tails; three standard errors are 1.7.
    assert 0.915 <= np.mean(covered) <= 0.98


def test_the_same_seed_gives_the_same_interval() -> None:
    errors = np.random.default_rng(5).standard_normal(40)
    one, two = (
        root_mean_square(errors, confidence=0.95, seed=(2, 3), resamples=100) for _ in range(2)
    )
    assert one == two
