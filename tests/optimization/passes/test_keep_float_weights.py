"""The engine rounds the weights of float layers between integers, unless it is kept from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.keep_float_weights import KeepFloatWeights
from edgeworthy.optimization.proof import Proof

PAIR = "{0}_q = QuantizeLinear ({0}, s, {1}) {0}_d = DequantizeLinear ({0}_q, s, {1}) "
DRAW = np.random.default_rng(0)
X = DRAW.uniform(-1.0, 1.0, (2, 3, 8, 8)).astype(np.float32)
#: Channels of very different size: one scale for all of them loses the small ones.
SIZES = np.array([8.0, 0.05, 0.02], np.float32)
WEIGHTS: dict[str, NDArray[Any]] = {
    "s": np.array(1 / 128, np.float32),
    "u": np.array(128, np.uint8),
    "i": np.array(0, np.int8),
    "w": DRAW.standard_normal((3, 1, 3, 3)).astype(np.float32) * SIZES[:, None, None, None],
    "t": DRAW.standard_normal((3, 2, 2, 2)).astype(np.float32) * 0.1,
    "g": DRAW.standard_normal((3, 5)).astype(np.float32),
    "b": np.array([0.1, 0.2, 0.3], np.float32),
}
BODIES = {
    "Conv": "c = Conv <group = 3, pads = [1, 1, 1, 1]> (x_d, w, b) ",
    "ConvTranspose": "c = ConvTranspose <strides = [2, 2]> (x_d, t) ",
}


def outputs(model: ModelProto, *, optimized: bool) -> NDArray[np.float32]:
    """What the engine answers, with its own rewriting or without."""
    return np.asarray(Executor(model, optimized=optimized).run({"x": X})["y"])


@pytest.mark.parametrize("zero", ["u", "i"])
@pytest.mark.parametrize("curve", ["", "r = Relu (c) "])
@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose"])
def test_the_engine_computes_what_the_file_says(
    operator: str,
    curve: str,
    zero: str,
    parse: Callable[..., ModelProto],
    prove: Callable[..., Proof],
) -> None:
    last = "r" if curve else "c"
    body = PAIR.format("x", zero) + BODIES[operator] + curve + PAIR.format(last, zero)
    text = f"g (float[n,3,8,8] x) => (float[n,3,h,v] y) {{ {body} y = Neg ({last}_d) }}"
    model = parse(text, WEIGHTS)
    expected = outputs(model, optimized=False)
    result = KeepFloatWeights()(model, prove(x=X))
    assert result.record.detail == "1 float layers keep their weights"
    np.testing.assert_array_equal(outputs(result.model, optimized=False), expected)
    step = float(WEIGHTS["s"])
    kept = np.abs(outputs(result.model, optimized=True) - expected)
    assert kept.max() <= step * 1.01  # floats added up in another order, at most a step
    assert (kept > 0.0).mean() < 0.01


def test_without_it_the_engine_rounds_them(parse: Callable[..., ModelProto]) -> None:
    body = PAIR.format("x", "u") + BODIES["Conv"] + PAIR.format("c", "u")
    model = parse(f"g (float[n,3,8,8] x) => (float[n,3,h,v] y) {{ {body} y = Neg (c_d) }}", WEIGHTS)
    differences = np.abs(outputs(model, optimized=True) - outputs(model, optimized=False))
    if not differences.any():
        pytest.skip("this engine leaves float weights between integers alone")
    assert (differences > 0.0).mean() > 0.1


@pytest.mark.parametrize(
    "body",
    [
        # Weights in integers: the engine fuses what it should.
        PAIR.format("x", "u") + "wq = QuantizeLinear (w, s, i) wd = DequantizeLinear (wq, s, i) "
        "c = Conv <group = 3> (x_d, wd, b) " + PAIR.format("c", "u") + "y = Neg (c_d)",
        # A float input, a float reader, another reader: none of them is rounded.
        "c = Conv <group = 3> (x, w, b) " + PAIR.format("c", "u") + "y = Neg (c_d)",
        PAIR.format("x", "u") + "c = Conv <group = 3> (x_d, w, b) y = Neg (c)",
        PAIR.format("x", "u")
        + "c = Conv <group = 3> (x_d, w, b) e = Neg (c) "
        + PAIR.format("c", "u")
        + "y = Add (c_d, e)",
    ],
)
def test_other_layers_are_left_as_they_are(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(f"g (float[n,3,8,8] x) => (float[n,3,h,v] y) {{ {body} }}", WEIGHTS)
    result = KeepFloatWeights()(model, prove(x=X))
    assert not result.record.changed


@pytest.mark.parametrize("transposed", [0, 1])
def test_products_read_by_column(
    transposed: int, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {**WEIGHTS, "g": WEIGHTS["g"].T.copy() if transposed else WEIGHTS["g"]}
    body = (
        PAIR.format("x", "u")
        + f"c = Gemm <transB = {transposed}> (x_d, g) "
        + PAIR.format("c", "u")
        + "y = Neg (c_d)"
    )
    model = parse(f"g (float[n,3] x) => (float[n,5] y) {{ {body} }}", weights)
    x = X[:, :, 0, 0]
    result = KeepFloatWeights()(model, prove(x=x)).model
    one, other = (Executor(each).run({"x": x})["y"] for each in (model, result))
    np.testing.assert_array_equal(one, other)
    (gemm,) = [node for node in result.graph.node if node.op_type == "Gemm"]
    assert gemm.input[0] == "x_d_by_channel"
