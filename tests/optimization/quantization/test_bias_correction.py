"""Biases that make up for rounded weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.calibration import observe_ranges
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization import (
    bias_shifts,
    lower_biases,
    make_plan,
    quantize,
    stored_weights,
    weight_scales,
    weights_on_steps,
)

Arrays = dict[str, NDArray[Any]]
HEADER = '<ir_version: 9, opset_import: ["" : {0}]> '


def batches(x: NDArray[Any]) -> Iterator[Arrays]:
    return iter([{"x": x[:7]}, {"x": x[7:]}])


def mean_error(found: ModelProto, expected: ModelProto, x: NDArray[Any]) -> NDArray[Any]:
    left, right = (Executor(model).run({"x": x})["y"] for model in (found, expected))
    axes = tuple(axis for axis in range(left.ndim) if axis != 1)
    return np.asarray(np.abs((left - right).mean(axis=axes)).max())


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize(
    ("node", "weight", "x_shape"),
    [
        ("Conv (x, w, b)", (4, 3, 3, 3), (10, 3, 6, 6)),
        ("Conv (x, w)", (4, 3, 3, 3), (10, 3, 6, 6)),
        ("Gemm (x, w, b)", (30, 4), (10, 30)),
        ("Gemm <transB=1> (x, w)", (4, 30), (10, 30)),
    ],
)
def test_the_mean_error_of_each_channel_goes(
    opset: int,
    node: str,
    weight: tuple[int, ...],
    x_shape: tuple[int, ...],
    parse: Callable[..., ModelProto],
    generator: np.random.Generator,
) -> None:
    x = generator.random(x_shape).astype(np.float32)
    weights = {"w": generator.standard_normal(weight).astype(np.float32)}
    if ", b)" in node:
        weights["b"] = np.ones(4, np.float32)
    inner = ",".join(str(size) for size in x_shape[1:])
    axes = ",".join("abcd"[: len(x_shape)])
    model = parse(
        HEADER.format(opset) + f"g (float[n,{inner}] x) => (float[{axes}] y) {{ y = {node} }}",
        weights,
    )
    model.graph.node[0].name = "product"
    plan, recipe = make_plan(model), data_types_for("x86-avx2")
    ranges = observe_ranges(model, batches(x), plan.activations, method="minmax")
    draft = quantize(model, plan, ranges, recipe).model
    on_steps = weights_on_steps(model, plan, weight_scales(model, plan, recipe))
    np.testing.assert_array_equal(on_steps["product"], stored_weights(draft)["product"])
    corrected = lower_biases(model, bias_shifts(model, on_steps, plan, batches(x)))
    final = quantize(corrected, plan, ranges, recipe).model
    before, after = mean_error(draft, model, x), mean_error(final, model, x)
    assert after < before / 3


def test_a_product_without_bias_input_is_left_alone(
    parse: Callable[..., ModelProto], generator: np.random.Generator
) -> None:
    x = generator.random((10, 30)).astype(np.float32)
    model = parse(
        "g (float[n,30] x) => (float[n,4] y) { y = MatMul (x, w) }",
        {"w": generator.standard_normal((30, 4)).astype(np.float32)},
    )
    model.graph.node[0].name = "product"
    plan = make_plan(model)
    ranges = observe_ranges(model, batches(x), plan.activations, method="minmax")
    draft = quantize(model, plan, ranges, data_types_for("generic")).model
    corrected = lower_biases(model, bias_shifts(model, stored_weights(draft), plan, batches(x)))
    assert corrected == model
    assert numpy_helper.to_array(corrected.graph.initializer[0]).shape == (30, 4)
