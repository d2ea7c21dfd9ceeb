"""Constants behind products: those that are a bias or a scale, and those that must stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes.fold_batch_norm import FoldBatchNorm
from edgeworthy.optimization.passes.fold_channelwise import FoldChannelwise
from edgeworthy.optimization.proof import Proof

Arrays = dict[str, NDArray[Any]]
WEIGHTS = {
    "w": (4, 2, 3, 3),
    "depthwise": (4, 1, 3, 3),
    "transposed": (2, 4, 2, 2),
    "dense": (2, 4),
    "wide": (50, 4),
    "bias": (4,),
    "row": (4,),
    "each": (1, 4, 1, 1),
    "high": (4, 1, 1),
    "one": (),
    "single": (1, 1, 1, 1),
}
FOLDED = [
    "p = Conv (x, w) y = Add (p, each)",
    "p = Conv (x, w, bias) y = Add (high, p)",
    "p = Conv (x, w, bias) y = Mul (p, each)",
    "p = Conv (x, w, bias) y = Mul (one, p)",
    "p = Conv <group=2> (x, depthwise, bias) y = Sub (p, each)",
    "p = Conv (x, w, bias) y = Sub (each, p)",
    "p = Conv (x, w, bias) y = Div (p, high)",
    "p = ConvTranspose (x, transposed) y = Add (p, single)",
    "p = ConvTranspose (x, transposed, bias) y = Mul (p, each)",
    "f = GlobalAveragePool (x) g = Flatten (f) p = Gemm (g, dense, bias) y = Mul (row, p)",
    "f = Flatten (x) p = Gemm <beta=2.0> (f, wide, bias) y = Add (p, row)",
    "p = Conv (x, w) a = Mul (p, each) b = Add (a, high) c = Div (b, each) y = Sub (c, one)",
]


@pytest.mark.parametrize("body", FOLDED)
def test_what_holds_a_number_per_channel_goes_into_the_product(
    body: str,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    reference: Callable[[ModelProto, Arrays], list[NDArray[Any]]],
    prove: Callable[..., Proof],
    generator: np.random.Generator,
) -> None:
    weights = {
        name: np.asarray(generator.standard_normal(shape), dtype=np.float32)
        for name, shape in WEIGHTS.items()
    }
    axes = "a,b" if "Gemm" in body else "a,b,c1,d"
    model = parse(f"g (float[n,2,5,5] x) => (float[{axes}] y) {{ {body} }}", weights)
    x = generator.standard_normal((2, 2, 5, 5)).astype(np.float32)
    result = FoldChannelwise()(model, prove(x=x))
    assert not ops(result.model).keys() & {"Add", "Sub", "Mul", "Div"}
    (expected,), (found,) = reference(model, {"x": x}), reference(result.model, {"x": x})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


STAYING = {
    "read twice": "p = Conv (x, w) a = Add (p, each) y = Add (a, p)",
    "no product": "p = Relu (x) y = Add (p, two)",
    "computed": "p = Conv (x, w) r = Abs (each) y = Add (p, r)",
    "computed weight": "v = Abs (w) p = Conv (x, v) y = Add (p, each)",
    "a number per column": "p = Conv (x, w) y = Add (p, columns)",
    "more axes than the result": "p = Conv (x, w) y = Add (p, deep)",
    "more channels than the result": "p = Conv (x, narrow) y = Add (p, each)",
    "a batch": "p = Conv (x, w) y = Add (p, batch)",
    "not finite": "p = Conv (x, w) y = Add (p, endless)",
    "over zero": "p = Conv (x, w) y = Div (p, zeros)",
    "under the result": "p = Conv (x, w) y = Div (each, p)",
    "added to itself": "p = Conv (x, w) y = Add (p, p)",
}


@pytest.mark.parametrize("body", STAYING.values(), ids=STAYING.keys())
def test_what_is_no_number_per_channel_stays(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    shapes = {
        "w": (4, 2, 1, 1),
        "narrow": (1, 2, 1, 1),
        "each": (1, 4, 1, 1),
        "two": (1, 2, 1, 1),
        "columns": (5,),
        "deep": (1, 1, 1, 1, 1),
        "batch": (2, 1, 1, 1),
    }
    weights = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    weights["endless"] = np.full((1, 4, 1, 1), np.inf, np.float32)
    weights["zeros"] = np.zeros((1, 4, 1, 1), np.float32)
    axes = "a,b,c1,d,e" if "deep" in body else "a,b,c1,d"
    model = parse(f"g (float[n,2,5,5] x) => (float[{axes}] y) {{ {body} }}", weights)
    result = FoldChannelwise()(model, prove(x=np.ones((2, 2, 5, 5), np.float32)))
    assert not result.record.changed


def test_a_bias_alone_leaves_shared_weights_shared(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,2,2,2] x) => (float[n,2,2,2] y, float[n,2,2,2] z) {
        p = Conv (x, w) y = Add (p, shift) z = Conv (x, w) }""",
        {"w": np.ones((2, 2, 1, 1), np.float32), "shift": np.ones((2, 1, 1), np.float32)},
    )
    result = FoldChannelwise()(model, prove(x=np.ones((1, 2, 2, 2), np.float32))).model
    assert [node.input[1] for node in result.graph.node] == ["w", "w"]
    (bias,) = [t for t in result.graph.initializer if t.name == "y.bias"]
    np.testing.assert_array_equal(numpy_helper.to_array(bias), [1.0, 1.0])


def test_a_norm_between_two_constants_is_folded_with_them(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
    generator: np.random.Generator,
) -> None:
    weights = {
        name: np.abs(generator.standard_normal(2)).astype(np.float32) + np.float32(0.1)
        for name in ("scale", "shift", "mean", "var")
    }
    model = parse(
        """g (float[n,2,2,2] x) => (float[n,2,2,2] y) {
        p = Conv (x, w) a = Add (p, each) b = BatchNormalization (a, scale, shift, mean, var)
        y = Mul (b, each) }""",
        weights | {"w": np.ones((2, 2, 1, 1), np.float32), "each": np.full((2, 1, 1), 3, "f4")},
    )
    proof = prove(x=generator.standard_normal((1, 2, 2, 2)).astype(np.float32))
    for rule in (FoldChannelwise(), FoldBatchNorm(), FoldChannelwise()):
        model = rule(model, proof).model
    assert ops(model) == {"Conv": 1}


def test_an_opset_before_seven_is_left_alone(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse("g (float[n] x) => (float[n] y) { y = Relu (x) }", opset=6)
    result = FoldChannelwise()(model, prove(x=np.ones(1, np.float32)))
    assert result.record.detail == "opset 6 is older than 7"


@pytest.mark.parametrize(("weight", "factor"), [(1e20, 1e30), (1e-20, 1e-25)])
def test_what_float32_could_not_hold_stays(
    weight: float, factor: float, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        "g (float[n,2,2,2] x) => (float[n,2,2,2] y) { p = Conv (x, w) y = Mul (p, factor) }",
        {"w": np.full((2, 2, 1, 1), weight, np.float32), "factor": np.array(factor, np.float32)},
    )
    x = np.full((1, 2, 2, 2), 1 / weight, np.float32)
    assert not FoldChannelwise()(model, prove(x=x)).record.changed
