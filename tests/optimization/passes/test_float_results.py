"""Results that are read as float are not rounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.passes.float_results import FloatResults
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)
WEIGHTS = {
    "s": np.array(0.5, np.float32),
    "z": np.array(3, np.uint8),
    "w": np.ones((2, 2), np.float32),
}
ROUNDED = "p = MatMul (x, w) q = QuantizeLinear (p, s, z) {0} = DequantizeLinear (q, s, z)"


@pytest.mark.parametrize(
    ("rest", "pairs"),
    [
        (ROUNDED.format("y"), 0),
        (ROUNDED.format("d") + " y = Softmax (d)", 0),
        (ROUNDED.format("d") + " y = Gemm (d, w)", 1),
        (
            ROUNDED.format("d")
            + " r = Abs (d) q2 = QuantizeLinear (r, s, z) y = DequantizeLinear (q2, s, z)",
            2,
        ),
        ("p = Abs (x) q = QuantizeLinear (p, s, z) y = DequantizeLinear (q, s, z)", 1),
        (ROUNDED.format("d") + " e = Cast <to=1> (q) y = Add (d, e)", 1),
        ("y = MatMul (x, w)", 0),
        ("p = MatMul (x, w) a = Neg (p) b = Abs (p) y = Add (a, b)", 0),
        ("p = MatMul (x, w) q = QuantizeLinear (p, s, z) y = Cast <to=1> (q)", 1),
    ],
)
def test_pairs_that_buy_nothing_go(
    rest: str,
    pairs: int,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(f"g (float[n,2] x) => (float[n,2] y) {{ {rest} }}", WEIGHTS)
    result = FloatResults()(model, prove(x=X)).model
    assert ops(result).get("QuantizeLinear", 0) == pairs
    assert [value.name for value in result.graph.output] == ["y"]
