"""Integers that are worked out beside the quantizer, against the quantizer itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.quantization import (
    QuantizationPlan,
    make_plan,
    quantize,
    static_int8,
    weight_scales,
)
from edgeworthy.optimization.wiring import editable

Arrays = dict[str, NDArray[Any]]
RECIPE = data_types_for("x86-vnni")
CONV = """{ a = Conv <pads=[1,1,1,1]> (x, w, b) s = GlobalAveragePool (a) f = Flatten (s)
            y = Gemm <transB=1> (f, v, c) }"""


def constants(model: ModelProto) -> dict[str, tuple[Any, ...]]:
    """Everything that is stored of each constant: type, shape, values."""
    return {
        tensor.name: (
            tensor.data_type,
            tuple(tensor.dims),
            numpy_helper.to_array(tensor).tobytes(),
        )
        for tensor in model.graph.initializer
    }


def both(
    model: ModelProto, monkeypatch: pytest.MonkeyPatch
) -> tuple[ModelProto, ModelProto, QuantizationPlan]:
    """What comes of stand-ins, and what onnxruntime makes of the weights themselves."""
    for index, node in enumerate(model.graph.node):
        node.name = f"n{index}"
    plan = make_plan(model)
    ranges = plan.with_implied(dict.fromkeys(plan.activations, TensorRange(-1.5, 3.0)))
    ours = quantize(model, plan, ranges, RECIPE).model
    monkeypatch.setattr(static_int8, "with_stand_ins", lambda given, _, __: editable(given))
    monkeypatch.setattr(static_int8, "stands_in", lambda scales: scales)
    monkeypatch.setattr(static_int8, "fill_in", lambda *_: None)
    return ours, quantize(model, plan, ranges, RECIPE).model, plan


def weights(generator: np.random.Generator, channels: int) -> Arrays:
    return {
        "w": generator.standard_normal((channels, 3, 3, 3)).astype(np.float32),
        "b": generator.standard_normal(channels).astype(np.float32),
        "v": generator.standard_normal((5, channels)).astype(np.float32),
        "c": generator.standard_normal(5).astype(np.float32),
    }


@pytest.mark.parametrize("channels", [1, 2, 7])
def test_every_constant_and_node_is_the_quantizers_own(
    channels: int,
    parse: Callable[..., ModelProto],
    generator: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = parse(f"g (float[n,3,6,6] x) => (float[n,5] y) {CONV}", weights(generator, channels))
    ours, theirs, _ = both(model, monkeypatch)
    assert constants(ours) == constants(theirs)
    assert list(ours.graph.node) == list(theirs.graph.node)


def test_the_scale_grows_where_a_bias_would_not_fit_32_bits(
    parse: Callable[..., ModelProto],
    generator: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = weights(generator, 4)
    stored["w"][1] *= 1e-9
    stored["b"][1] = 3.0
    model = parse(f"g (float[n,3,6,6] x) => (float[n,5] y) {CONV}", stored)
    ours, theirs, plan = both(model, monkeypatch)
    assert constants(ours) == constants(theirs)
    scales = next(t for t in ours.graph.initializer if t.name == "w_scale")
    grown = numpy_helper.to_array(scales) / weight_scales(model, plan, RECIPE)["w"]
    assert grown[1] > 10
    np.testing.assert_array_equal(grown[[0, 2, 3]], 1.0)
