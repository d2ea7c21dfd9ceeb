"""Weights rounded with care, and what that adds to each channel on the average."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization import (
    LayerInputs,
    bias_shifts,
    bounds_of,
    lower_biases,
    make_plan,
    round_weights,
    weight_scales,
    weights_on_steps,
)

Arrays = dict[str, NDArray[Any]]
RECIPE = data_types_for("x86-vnni")


@pytest.fixture
def model(parse: Callable[..., ModelProto], generator: np.random.Generator) -> ModelProto:
    weight = generator.standard_normal((4, 3, 3, 3)).astype(np.float32)
    built = parse(
        "g (float[n,3,6,6] x) => (float[n,4,6,6] y) { y = Conv <pads=[1,1,1,1]> (x, w) }",
        {"w": weight},
    )
    built.graph.node[0].name = "layer"
    return built


@pytest.fixture
def x(generator: np.random.Generator) -> NDArray[np.float32]:
    return (generator.random((20, 3, 6, 6)) + 0.5).astype(np.float32)


def test_shifts_are_those_that_the_engine_measures_borders_included(
    model: ModelProto, x: NDArray[np.float32]
) -> None:
    def batches() -> Iterator[Arrays]:
        return iter([{"x": x[:8]}, {"x": x[8:]}])

    plan = make_plan(model)
    scales = weight_scales(model, plan, RECIPE)
    found = round_weights(
        model,
        plan,
        scales,
        LayerInputs(batches),
        bounds=lambda layer, integers: bounds_of(layer, integers, RECIPE),
        biases=True,
    )
    assert found.better_count == 1
    error = Executor(found.model).run({"x": x})["y"] - Executor(model).run({"x": x})["y"]
    # 36 places of 6 x 6 are all looked at, so that nothing is left to chance.
    np.testing.assert_allclose(found.shifts["layer"], error.mean(axis=(0, 2, 3)), atol=1e-6)
    on_steps = weights_on_steps(found.model, plan, scales)
    measured = bias_shifts(model, on_steps, plan, batches())
    np.testing.assert_allclose(measured["layer"], found.shifts["layer"], atol=1e-6)
    known = bias_shifts(model, on_steps, plan, iter([]), known=found.shifts)
    left = Executor(lower_biases(found.model, known)).run({"x": x})["y"]
    left -= Executor(model).run({"x": x})["y"]
    assert np.abs(left.mean(axis=(0, 2, 3))).max() < 1e-5


def test_less_is_lost_about_the_mean_when_a_bias_takes_the_mean(
    model: ModelProto, x: NDArray[np.float32]
) -> None:
    plan = make_plan(model)
    scales = weight_scales(model, plan, RECIPE)
    left = {}
    for biases in (False, True):
        found = round_weights(
            model,
            plan,
            scales,
            LayerInputs(lambda: iter([{"x": x}])),
            bounds=lambda layer, integers: bounds_of(layer, integers, RECIPE),
            biases=biases,
        )
        error = Executor(found.model).run({"x": x})["y"] - Executor(model).run({"x": x})["y"]
        left[biases] = float(error.var(axis=(0, 2, 3)).sum())
        assert bool(found.shifts) == biases
    assert left[True] < left[False]
