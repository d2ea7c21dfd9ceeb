from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.errors import OptimizationError
from edgeworthy.graph import compare_outputs


def distance(left: list[float], right: list[float]) -> float:
    return compare_outputs({"y": np.array(left)}, {"y": np.array(right)})


def test_known_distances() -> None:
    assert distance([2.0, -4.0], [2.0, -4.0]) == 0.0
    assert distance([2.0, -4.0], [2.0, -3.0]) == 0.25
    assert distance([0.0, 0.0], [0.0, 0.0]) == 0.0
    assert distance([0.0], [1e-9]) == 1.0
    assert distance([1.0], [-1.0]) == 2.0
    assert distance([], []) == 0.0
    assert compare_outputs({}, {}) == 0.0


def test_each_output_has_its_own_scale() -> None:
    left = {"large": np.array([1000.0]), "small": np.array([1.0])}
    right = {"large": np.array([1001.0]), "small": np.array([0.9])}
    assert compare_outputs(left, right) == pytest.approx(0.1)


def test_special_values_agree_only_with_themselves() -> None:
    assert distance([math.nan, 1.0], [math.nan, 1.0]) == 0.0
    assert distance([math.inf, 2.0], [math.inf, 1.0]) == 0.5
    assert distance([math.nan], [0.0]) == math.inf
    assert distance([0.0], [math.nan]) == math.inf
    assert distance([math.inf], [-math.inf]) == math.inf


def test_whole_numbers_do_not_wrap() -> None:
    left, right = np.array([0], dtype=np.uint8), np.array([255], dtype=np.uint8)
    assert compare_outputs({"y": left}, {"y": right}) == 1.0


def test_huge_values_do_not_overflow() -> None:
    assert distance([1.7e308], [-1.7e308]) == 2.0


def test_other_names_or_shapes_are_a_broken_promise() -> None:
    with pytest.raises(OptimizationError, match=r"other names. Expected `a`, found `b`"):
        compare_outputs({"a": np.zeros(1)}, {"b": np.zeros(1)})
    with pytest.raises(OptimizationError, match=r"`a` has another shape. Expected \(1,\)"):
        compare_outputs({"a": np.zeros(1)}, {"a": np.zeros(2)})


@given(
    pairs=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20)
)
def test_the_measure_is_symmetric_and_bounded(pairs: list[tuple[float, float]]) -> None:
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert distance(left, right) == distance(right, left)
    assert 0.0 <= distance(left, right) <= 2.0
    assert (distance(left, right) == 0.0) == (left == right)
