"""Float nodes read what float nodes made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.passes.float_readers import FloatReaders
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)
WEIGHTS = {
    "s": np.array(0.5, np.float32),
    "z": np.array(3, np.uint8),
    "w": np.ones((2, 2), np.float32),
    "one": np.ones(2, np.float32),
}
PAIR = "{0}_q = QuantizeLinear ({0}, s, z) {0}_d = DequantizeLinear ({0}_q, s, z) "
NORM = "n = LayerNormalization (x, one, one) " + PAIR.format("n")
INTEGER = "p = MatMul (x_d, w) " + PAIR.format("p")


@pytest.mark.parametrize(
    ("body", "reader", "reads"),
    [
        (NORM + "m = MatMul (n_d, w) y = Add (m, n_d)", "Add", ["m", "n"]),
        (PAIR.format("x") + "m = MatMul (x_d, w) y = Add (x_d, m)", "Add", ["x", "m"]),
        # The product that needs the integers keeps them.
        (NORM + "m = MatMul (n_d, w) y = Add (m, n_d)", "MatMul", ["n_d", "w"]),
        # What an integer node makes never exists in float: the engine fuses it.
        (PAIR.format("x") + INTEGER + "y = Neg (p_d)", "Neg", ["p_d"]),
        # An operator without an integer kernel makes float, whatever it reads.
        (
            PAIR.format("x") + "t = Tanh (x_d) " + PAIR.format("t") + "y = Neg (t_d)",
            "Neg",
            ["t"],
        ),
        # An addition between integers stays one: both sides, and what it makes, are rounded.
        (
            PAIR.format("x") + "a = Add (x_d, x_d) " + PAIR.format("a") + "y = MatMul (a_d, w)",
            "Add",
            ["x_d", "x_d"],
        ),
    ],
)
def test_only_float_readers_of_float_makers_are_connected(
    body: str,
    reader: str,
    reads: list[str],
    parse: Callable[..., ModelProto],
    prove: Callable[..., Proof],
) -> None:
    model = parse(f"g (float[n,2] x) => (float[n,2] y) {{ {body} }}", WEIGHTS)
    result = FloatReaders()(model, prove(x=X)).model
    (node,) = [node for node in result.graph.node if node.op_type == reader]
    assert list(node.input) == reads
