"""Ranges in one streaming pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, parser

from edgeworthy.errors import DatasetError, OptimizationError, UsageError
from edgeworthy.optimization.calibration import (
    SIMPLE,
    TensorRange,
    in_runs,
    observation,
    observe,
    observe_ranges,
    ranges_of,
)
from edgeworthy.optimization.calibration.histogram import BIN_COUNT

Arrays = dict[str, NDArray[Any]]
HEADER = '<ir_version: 8, opset_import: ["" : 17]> '
MODEL = parser.parse_model(
    HEADER + "g (float[n,50] x) => (float[n,50] y) { h = Neg (x) y = Relu (h) }"
)


def cut(values: NDArray[Any], size: int) -> Iterator[Arrays]:
    return iter([{"x": values[i : i + size]} for i in range(0, len(values), size)])


@pytest.mark.parametrize("size", [1, 7, 40])
def test_minmax_is_the_smallest_and_the_largest(size: int, generator: np.random.Generator) -> None:
    x = generator.standard_normal((40, 50)).astype(np.float32)
    found = observe_ranges(MODEL, cut(x, size), ["y", "h", "x"], method="minmax")
    assert list(found) == ["y", "h", "x"]
    assert found["x"] == TensorRange(float(x.min()), float(x.max()))
    assert found["h"] == TensorRange(float(-x.max()), float(-x.min()))
    assert found["y"] == TensorRange(0.0, float(-x.min()))


@given(seed=st.integers(0, 2**32 - 1), percent=st.sampled_from([98.0, 99.0, 99.5]))
@settings(max_examples=20, deadline=None)
def test_a_percentile_cuts_off_the_stated_share(seed: int, percent: float) -> None:
    x = np.random.default_rng(seed).standard_normal((40, 50)).astype(np.float32)
    found = observe_ranges(MODEL, cut(x, 20), ["x"], method=f"percentile-{percent}")["x"]
    ordered = np.sort(x.ravel())
    rank = math.floor(x.size * (100 - percent) / 100)
    bin_width = 2 * 8.0 / BIN_COUNT
    assert ordered[rank] - bin_width <= found.lowest <= ordered[rank]
    assert ordered[-1 - rank] <= found.highest <= ordered[-1 - rank] + bin_width


def test_with_few_values_nothing_is_cut_off(generator: np.random.Generator) -> None:
    x = generator.standard_normal((10, 50)).astype(np.float32)
    ranges = [
        observe_ranges(MODEL, cut(x, 5), ["x", "y"], method=method)
        for method in ("minmax", "percentile-99.995")
    ]
    assert ranges[0] == ranges[1]


def test_of_a_large_tensor_some_values_are_counted_and_all_extremes(
    generator: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observation, "MOST_COUNTED", 100)
    x = generator.standard_normal((40, 50)).astype(np.float32)
    sight = observe(MODEL, cut(x, 8), ["x"])["x"]
    assert sight.histogram.value_count == 5 * math.ceil(400 / 5)
    assert (sight.histogram.lowest, sight.histogram.highest) == (x.min(), x.max())


def test_one_pass_serves_every_method(generator: np.random.Generator) -> None:
    x = generator.standard_normal((40, 50)).astype(np.float32)
    seen = observe(MODEL, cut(x, 20), ["x", "y"])
    for method in (*SIMPLE, "percentile-99.9"):
        assert ranges_of(seen, method) == observe_ranges(
            MODEL, cut(x, 20), ["x", "y"], method=method
        )


def test_runs_are_small_and_lose_nothing(generator: np.random.Generator) -> None:
    x = generator.standard_normal((21, 50)).astype(np.float32)
    runs = list(in_runs(MODEL, cut(x, 21), ["x"]))
    assert [len(run["x"]) for run in runs] == [8, 8, 5]
    np.testing.assert_array_equal(np.concatenate([run["x"] for run in runs]), x)


def test_a_fixed_batch_is_left_whole() -> None:
    model = parser.parse_model(HEADER + "g (float[16,2] x) => (float[16,2] y) { y = Relu (x) }")
    (run,) = in_runs(model, iter([{"x": np.ones((16, 2), np.float32)}]), ["x"])
    assert run["x"].shape == (16, 2)


def test_large_activations_make_runs_shorter() -> None:
    text = "g (float[n,4,1024,512] x) => (float[n,4,1024,512] y) { y = Relu (x) }"
    model = parser.parse_model(HEADER + text)
    x = np.zeros((3, 4, 1024, 512), np.float16)
    assert [len(run["x"]) for run in in_runs(model, iter([{"x": x}]), ["x", "y"])] == [2, 1]


def test_batches_are_read_one_at_a_time() -> None:
    alive: list[int] = []

    def stream() -> Iterator[Arrays]:
        for index in range(3):
            alive.append(index)
            yield {"x": np.full((2, 50), index, np.float32)}

    found = observe_ranges(MODEL, stream(), ["x"], method="minmax")
    assert alive == [0, 1, 2]
    assert found["x"] == TensorRange(0.0, 2.0)


def test_no_samples() -> None:
    with pytest.raises(DatasetError, match="no samples to calibrate with"):
        observe_ranges(MODEL, iter([]), ["x"], method="minmax")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sample_that_is_not_finite(bad: float) -> None:
    x = np.zeros((1, 50), np.float32)
    x[0, 3] = bad
    with pytest.raises(DatasetError, match="not finite in the input `x`"):
        observe_ranges(MODEL, cut(x, 1), ["x"], method="minmax")


def test_a_tensor_that_overflows_is_named(parse: Callable[..., ModelProto]) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y) { big = Exp (x) y = Tanh (big) }")
    with pytest.raises(OptimizationError, match="the tensor `big` is not finite"):
        observe_ranges(
            model, iter([{"x": np.full((1, 2), 999, np.float32)}]), ["big"], method="minmax"
        )


@pytest.mark.parametrize("method", ["", "max", "percentile-", "percentile-12", "percentile-100"])
def test_unknown_methods(method: str) -> None:
    with pytest.raises(UsageError, match="unknown calibration method"):
        observe_ranges(MODEL, cut(np.ones((2, 50), np.float32), 1), ["x"], method=method)
