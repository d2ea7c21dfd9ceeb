"""One set of laws for every calibrator, and what each is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeworthy.errors import UsageError
from edgeworthy.optimization.calibration import (
    OUTPUT_ERROR,
    SIMPLE,
    Sight,
    TensorRange,
    check_method,
    range_of,
)
from edgeworthy.optimization.calibration.ranges import in_steps

EVERY = (*SIMPLE, "percentile-99.995", "percentile-99", "percentile-60")
DRAWS = ("normal", "positive", "far from zero", "constant", "zeros", "two values", "heavy tails")


def sight_of(*runs: NDArray[np.float32]) -> Sight:
    sight = Sight()
    for run in runs:
        sight.add(run, float(run.min()), float(run.max()))
    return sight


def draw(kind: str, seed: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    drawn: dict[str, Callable[[], NDArray[Any]]] = {
        "normal": lambda: generator.standard_normal(2000),
        "positive": lambda: np.maximum(generator.standard_normal(2000), 0),
        "far from zero": lambda: generator.random(2000) + 50,
        "constant": lambda: np.full(100, 3.25),
        "zeros": lambda: np.zeros(100),
        "two values": lambda: generator.choice([-1.0, 7.0], 500),
        "heavy tails": lambda: generator.standard_t(1.5, 5000),
    }
    return np.asarray(drawn[kind](), dtype=np.float32)


def error(values: NDArray[np.float32], found: TensorRange) -> float:
    wide = values.astype(np.float64)
    return float(((in_steps(wide, found) - wide) ** 2).mean())


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("method", EVERY)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=2, deadline=None)
def test_a_range_lies_within_the_extremes(method: str, kind: str, seed: int) -> None:
    values = draw(kind, seed)
    found = range_of(sight_of(values), method)
    assert values.min() <= found.lowest <= found.highest <= values.max()


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("method", [each for each in EVERY if each != "moving-average"])
def test_the_order_of_the_samples_does_not_matter(method: str, kind: str) -> None:
    values = draw(kind, 3)
    pieces = (values[: len(values) // 3], values[len(values) // 3 :])
    assert range_of(sight_of(*pieces), method) == range_of(sight_of(*pieces[::-1]), method)


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("method", EVERY)
def test_a_scaled_tensor_has_a_scaled_range(method: str, kind: str) -> None:
    values = draw(kind, 4)
    once, twice = (range_of(sight_of(values * np.float32(by)), method) for by in (1, 4))
    assert twice.lowest == pytest.approx(4 * once.lowest)
    assert twice.highest == pytest.approx(4 * once.highest)


@pytest.mark.parametrize("kind", DRAWS)
def test_the_square_error_is_no_larger_than_that_of_the_others(kind: str) -> None:
    values = draw(kind, 5)
    sight = sight_of(values)
    least = error(values, range_of(sight, "mse"))
    for method in EVERY:
        assert least <= 1.05 * error(values, range_of(sight, method)) + 1e-9


def test_one_outlier_is_cut_off() -> None:
    values = np.concatenate([draw("normal", 6), np.array([1000.0], np.float32)])
    sight = sight_of(*np.array_split(values, 25))
    assert range_of(sight, "minmax").highest == 1000.0
    for method in ("entropy", "percentile-99.9", "moving-average"):
        assert range_of(sight, method).highest < 600.0, method


def test_a_moving_average_is_the_plain_mean_at_first_and_forgets_later() -> None:
    runs = [np.array([0.0, value], np.float32) for value in (2.0, 4.0, 9.0)]
    assert range_of(sight_of(*runs), "moving-average").highest == pytest.approx(5.0)
    many = [np.array([0.0, value], np.float32) for value in (*[1.0] * 20, *[9.0] * 100)]
    assert range_of(sight_of(*many), "moving-average").highest == pytest.approx(9.0, abs=0.1)


def test_known_and_unknown_methods() -> None:
    for method in (*EVERY, OUTPUT_ERROR):
        check_method(method)
    with pytest.raises(UsageError, match="unknown calibration method"):
        check_method("maximum")
