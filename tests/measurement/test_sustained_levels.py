from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.stattools import (  # type: ignore[import-untyped]  # ships no types
    kpss,
)

from edgeworthy.measurement.sustained_levels import find_levels, kpss_statistic, stationary_from


def noisy(levels: list[tuple[int, float]], *, noise: float, seed: int = 0) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    heights = np.concatenate([np.full(count, height) for count, height in levels])
    values: NDArray[np.float64] = heights * np.exp(noise * generator.standard_normal(len(heights)))
    return values


def test_a_series_without_change_is_one_level() -> None:
    found = 0
    for seed in range(40):
        levels = find_levels(noisy([(600, 100.0)], noise=0.05, seed=seed), least_change=0.05)
        found += len(levels) > 1
    assert found == 0


def test_levels_are_found_where_they_were_planted() -> None:
    series = noisy([(60, 100.0), (40, 70.0), (60, 90.0)], noise=0.03)
    levels = find_levels(series, least_change=0.05)
    assert [level.end for level in levels] == pytest.approx([60, 100, 160], abs=1)
    assert [level.height for level in levels] == pytest.approx([100, 70, 90], rel=0.03)


def test_a_window_that_stumbles_is_no_level() -> None:
    series = noisy([(50, 100.0), (1, 20.0), (50, 100.0)], noise=0.02)
    assert len(find_levels(series, least_change=0.05)) == 1


def test_a_small_step_is_no_level() -> None:
    series = noisy([(100, 100.0), (100, 97.0)], noise=0.005)
    assert len(find_levels(series, least_change=0.05)) == 1
    assert len(find_levels(series, least_change=0.02)) == 2


def test_few_windows_are_one_level() -> None:
    assert [level.end for level in find_levels(np.array([1.0, 9.0]), least_change=0.05)] == [2]


@pytest.mark.parametrize("count", [20, 77, 400])
def test_the_statistic_is_that_of_statsmodels(count: int) -> None:
    values = np.cumsum(np.random.default_rng(count).standard_normal(count)) / 9
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p-values outside its table
        expected = kpss(values, regression="c", nlags="legacy")[0]
    assert kpss_statistic(values) == pytest.approx(expected, rel=1e-9)


def test_a_constant_stands_still() -> None:
    assert kpss_statistic(np.full(30, 2.0)) == 0.0


def test_a_series_stands_still_from_its_last_change() -> None:
    series = noisy([(100, 100.0), (100, 60.0)], noise=0.02)
    levels = find_levels(series, least_change=0.05)
    assert stationary_from(series, levels) == pytest.approx(100, abs=3)
    still = noisy([(200, 100.0)], noise=0.02)
    assert stationary_from(still, find_levels(still, least_change=0.05)) == 0


def test_a_series_that_falls_to_its_end_never_stands_still() -> None:
    series = 100 * np.exp(-np.arange(200) / 2000) * noisy([(200, 1.0)], noise=0.002)
    assert stationary_from(series, find_levels(series, least_change=0.3)) is None


def test_too_few_windows_give_no_verdict() -> None:
    series = noisy([(19, 100.0)], noise=0.02)
    assert stationary_from(series, find_levels(series, least_change=0.05)) is None
