"""Outliers that move from activations into weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.calibration import observe, ranges_of
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import BEFORE_QUANTIZATION
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import make_plan, meetings_of, smooth
from edgeworthy.optimization.quantization.noise import with_rounded
from edgeworthy.optimization.quantization.smoothing import factors_of

Arrays = dict[str, NDArray[Any]]
Parse = Callable[..., ModelProto]
FUSED = "n = LayerNormalization (x, scale, shift)"
DECOMPOSED = """mean = ReduceMean <axes=[-1]> (x) d = Sub (x, mean) dd = Mul (d, d)
    v = ReduceMean <axes=[-1]> (dd) ve = Add (v, tiny) root = Sqrt (ve) z = Div (d, root)
    m = Mul (z, scale) n = Add (m, shift)"""
READERS = "q = MatMul (n, w1) k = MatMul (n, w2) y = Add (q, k)"
RESIDUAL = "q = MatMul (n, w1) k = MatMul (n, w2) a = Add (q, k) y = Add (a, n)"


def build(parse: Parse, body: str, opset: int = 17) -> ModelProto:
    generator = np.random.default_rng(1)
    outliers = np.ones(16)
    outliers[3], outliers[11] = 40.0, 25.0
    weights = {
        "scale": outliers,
        "shift": generator.standard_normal(16) * 0.1,
        "w1": generator.standard_normal((16, 16)),
        "w2": generator.standard_normal((16, 16)),
        "tiny": np.array(1e-5),
    }
    used = {name: v.astype(np.float32) for name, v in weights.items() if name in body}
    model = parse(f"g (float[n,5,16] x) => (float[n,5,16] y) {{ {body} }}", used, opset=opset)
    proof = Proof([draw(2)], seed=None)
    for rule in BEFORE_QUANTIZATION:
        model = rule(model, proof).model
    return model


def draw(count: int) -> Arrays:
    values = np.random.default_rng(8).standard_normal((count, 5, 16))
    return {"x": values.astype(np.float32)}


def smoothed(model: ModelProto, alpha: float | None = 0.5) -> tuple[ModelProto, int]:
    meetings = meetings_of(model, make_plan(model))
    result = smooth(model, meetings, [draw(20)], alpha=alpha)
    return result.model, result.added


@pytest.mark.parametrize(
    ("body", "added"),
    [(f"{FUSED} {READERS}", 0), (f"{DECOMPOSED} {READERS}", 0), (f"{FUSED} {RESIDUAL}", 1)],
    ids=["a normalization", "its parts", "a residual beside it"],
)
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_outputs_stay_and_nothing_is_added_where_constants_take_it_up(
    body: str, added: int, alpha: float, parse: Parse
) -> None:
    model = build(parse, body)
    result, count = smoothed(model, alpha)
    assert count == added
    x = draw(10)
    before, after = (Executor(each).run(x)["y"] for each in (model, result))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-3)


def test_axes_as_an_input(parse: Parse) -> None:
    assert smoothed(build(parse, f"{FUSED} {READERS}", 18))[1] == 0


def test_less_is_lost_when_the_activations_are_rounded(parse: Parse) -> None:
    model = build(parse, f"{FUSED} {READERS}")
    errors = []
    for each in (model, smoothed(model)[0]):
        plan = make_plan(each)
        ranges = ranges_of(observe(each, [draw(20)], plan.activations), "minmax")
        rounded = with_rounded(each, {"n": ranges["n"]})
        x = draw(20)
        errors.append(
            float(((Executor(rounded).run(x)["y"] - Executor(each).run(x)["y"]) ** 2).mean())
        )
    assert errors[1] < errors[0] / 2


def test_a_gemm_with_a_transposed_weight(parse: Parse) -> None:
    weights = {
        "w": np.random.default_rng(5).standard_normal((4, 6)).astype(np.float32),
        "b": np.ones(4, np.float32),
    }
    model = parse("g (float[n,6] x) => (float[n,4] y) { y = Gemm <transB=1> (x, w, b) }", weights)
    model.graph.node[0].name = "dense"
    x = {"x": np.random.default_rng(6).standard_normal((30, 6)).astype(np.float32)}
    meetings = meetings_of(model, make_plan(model))
    result = smooth(model, meetings, [x], alpha=0.7)
    assert result.added == 1  # a graph input has no constants
    np.testing.assert_allclose(
        Executor(result.model).run(x)["y"], Executor(model).run(x)["y"], rtol=1e-4, atol=1e-5
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    alpha=st.floats(0.0, 1.0),
    silent=st.integers(0, 7),
)
@settings(max_examples=50, deadline=None)
def test_factors_are_positive_and_finite(seed: int, alpha: float, silent: int) -> None:
    generator = np.random.default_rng(seed)
    activations, weights = np.exp(generator.standard_normal((2, 8)) * 3)
    activations[silent] = 0.0
    factors = factors_of(activations, weights, alpha)
    assert np.isfinite(factors).all()
    assert (factors > 0.0).all()
    assert factors[silent] == 1.0
