from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.statistics.trend import trend


@pytest.mark.parametrize("count", [3, 5, 8, 12, 30])
def test_the_chance_is_that_of_an_independent_implementation(count: int) -> None:
    generator = np.random.default_rng(count)
    for _ in range(20):
        values = generator.standard_normal(count)
        expected = stats.kendalltau(np.arange(count), values, method="exact").pvalue
        assert trend(values).p_value == pytest.approx(expected, abs=1e-9)


def test_the_slope_is_that_of_an_independent_implementation() -> None:
    values = np.random.default_rng(1).standard_normal(25) + np.arange(25) * 0.1
    slope = stats.theilslopes(values).slope
    assert trend(values).change == pytest.approx(slope * 24)


def test_a_trend_is_found_and_noise_is_not() -> None:
    noise = np.random.default_rng(2).standard_normal(8) * 0.01
    assert trend(np.linspace(1.0, 1.2, 8) + noise).p_value < 0.001
    assert trend(noise).p_value > 0.05


def test_one_wild_figure_does_not_move_the_slope() -> None:
    values = np.full(9, 1.0)
    values[4] = 100.0
    assert trend(values).change == 0.0


def test_too_few_figures_show_no_trend() -> None:
    assert (trend(np.array([1.0, 2.0])).change, trend(np.array([1.0, 2.0])).p_value) == (0.0, 1.0)


def test_a_long_series_is_merged_and_its_trend_stays() -> None:
    found = trend(np.linspace(0.0, 1.0, 5000))
    assert found.change == pytest.approx(1.0, abs=0.02)
    assert found.p_value < 1e-12
