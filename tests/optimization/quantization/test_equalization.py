"""Channels between two layers brought to one range, at no cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import equalize, make_plan, observe_peaks, pairs_of
from edgeworthy.optimization.quantization.equalization import MARGIN, MOST, factors_of

Arrays = dict[str, NDArray[Any]]
Parse = Callable[..., ModelProto]


def build(parse: Parse, curve: str) -> ModelProto:
    """A convolution whose channels differ by orders of magnitude, and a depthwise one behind it."""
    generator = np.random.default_rng(2)
    weights = {
        "w1": generator.standard_normal((4, 3, 1, 1))
        * np.array([3, 1, 0.1, 0]).reshape(4, 1, 1, 1),
        "b1": np.array([0.5, 0.1, 0.01, 0.0]),
        "w2": generator.standard_normal((4, 1, 3, 3)),
        "w3": generator.standard_normal((2, 4, 1, 1)),
        "six": np.array(6.0),
        "zero": np.array(0.0),
        "minus": np.array(-1.0),
    }
    text = f"""g (float[n,3,6,6] x) => (float[n,2,6,6] y) {{
        c = Conv (x, w1, b1) r = {curve} (c{", zero, six" if curve == "Clip" else ""})
        d = Conv <group=4, pads=[1,1,1,1]> (r, w2) y = Conv (d, w3) }}"""
    used = {name for name in weights if name in text}
    model = parse(text, {name: weights[name].astype(np.float32) for name in used})
    x = np.ones((1, 3, 6, 6), np.float32)
    return NameNodes()(model, Proof([{"x": x}], seed=None)).model


def draw(count: int) -> Arrays:
    values = np.random.default_rng(4).standard_normal((count, 3, 6, 6))
    return {"x": values.astype(np.float32)}


@pytest.mark.parametrize("curve", ["Relu", "Clip"])
def test_outputs_stay_and_channels_become_alike(parse: Parse, curve: str) -> None:
    model = build(parse, curve)
    (pair,) = pairs_of(model, make_plan(model))
    assert pair.highest == (6.0 if curve == "Clip" else np.inf)
    x = draw(64)
    peaks = observe_peaks(model, [pair], [x])
    equalized, factors = equalize(model, [pair], peaks)
    before, after = (Executor(each).run(x)["y"] for each in (model, equalized))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)
    assert (factors["r"] >= 1.0).all()
    raised = observe_peaks(equalized, pairs_of(equalized, make_plan(equalized)), [x])["r"]
    assert raised[0] == pytest.approx(peaks["r"][0] * factors["r"][0], rel=1e-5)
    spread = [each[:3].max() / each[:3].min() for each in (peaks["r"], raised)]
    assert 1.0 < spread[1] < spread[0] ** 0.6


def test_peaks_are_those_of_the_samples(parse: Parse) -> None:
    model = build(parse, "Relu")
    pairs = pairs_of(model, make_plan(model))
    x = draw(20)
    found = observe_peaks(model, pairs, [{"x": x["x"][:7]}, {"x": x["x"][7:]}])["r"]
    weight = numpy_helper.to_array(
        model.graph.initializer[[tensor.name for tensor in model.graph.initializer].index("w1")]
    )[:, :, 0, 0]
    bias = np.array([0.5, 0.1, 0.01, 0.0]).reshape(4, 1, 1)
    expected = np.maximum(np.einsum("oc,nchw->nohw", weight, x["x"]) + bias, 0).max(axis=(0, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "body",
    [
        "c = Conv (x, w) r = Sigmoid (c) y = Conv <group=3> (r, v)",
        "c = Conv (x, w) r = Relu (c) d = Conv <group=3> (r, v) y = Add (d, r)",
        "c = Conv (x, w) r = Clip (c, minus, six) y = Conv <group=3> (r, v)",
        "c = Conv (x, w) r = Relu (c) y = Conv (r, w)",
        "r = Relu (x) y = Conv <group=3> (r, v)",
    ],
    ids=["a curve", "another reader", "a clip below zero", "not depthwise", "nothing before"],
)
def test_where_it_is_not_free_nothing_is_done(parse: Parse, body: str) -> None:
    weights = {
        "w": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1),
        "v": np.ones((3, 1, 1, 1), np.float32),
        "minus": np.array(-1, np.float32),
        "six": np.array(6, np.float32),
    }
    used = {name: value for name, value in weights.items() if name in body}
    model = parse(f"g (float[n,3,4,4] x) => (float[n,3,4,4] y) {{ {body} }}", used)
    x = np.ones((1, 3, 4, 4), np.float32)
    model = NameNodes()(model, Proof([{"x": x}], seed=None)).model
    assert pairs_of(model, make_plan(model)) == []


def test_factors_are_bounded_and_leave_a_margin_below_a_clip() -> None:
    peaks = np.array([6.0, 3.0, 1e-9, 0.0])
    factors = factors_of(peaks, 6.0)
    assert factors.tolist() == pytest.approx([1.0, (6.0 / (3.0 * MARGIN)) ** 0.5, MOST, 1.0])
    assert (peaks * factors <= 6.0).all()
