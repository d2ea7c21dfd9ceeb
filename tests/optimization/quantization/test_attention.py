"""What graphs with attention are quantized like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.quantization import (
    has_attention,
    make_plan,
    tensors_before_products,
)

Parse = Callable[..., ModelProto]
ATTENTION = """net (float[n,4,8] x) => (float[n,4,8] y) {
  [q] q = MatMul (x, wq) [k] k = MatMul (x, wk) [turn] t = Transpose <perm=[0,2,1]> (k)
  [scores] s = MatMul (q, t) [mix] m = MatMul (s, x) [flip] f = Transpose <perm=[0,2,1]> (m)
  [back] b = Transpose <perm=[0,2,1]> (f) [out] y = MatMul (b, wo)
}"""


@pytest.fixture
def attention(parse: Parse, generator: np.random.Generator) -> ModelProto:
    shapes = {"wq": (8, 8), "wk": (8, 8), "wo": (8, 8)}
    return parse(
        ATTENTION,
        {name: generator.standard_normal(s).astype(np.float32) for name, s in shapes.items()},
    )


def test_only_what_leads_to_weights_is_quantized(attention: ModelProto) -> None:
    assert has_attention(attention)
    plan = make_plan(attention)
    assert plan.nodes == ("q", "k", "flip", "back", "out")
    assert tensors_before_products(attention, plan.nodes) == {"x", "m", "f", "b"}


def test_without_attention_values_are_carried_to_the_end(
    parse: Parse, generator: np.random.Generator
) -> None:
    model = parse(
        "g (float[n,4,8] x) => (float[n,8,4] y) "
        "{ [p] p = MatMul (x, w) [t] y = Transpose <perm=[0,2,1]> (p) }",
        {"w": generator.standard_normal((8, 8)).astype(np.float32)},
    )
    assert not has_attention(model)
    assert make_plan(model).nodes == ("p", "t")
