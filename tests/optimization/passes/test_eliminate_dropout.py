"""Dropout goes in inference only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.passes.eliminate_dropout import EliminateDropout
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)


@pytest.mark.parametrize(
    ("body", "outputs", "left"),
    [
        ("a = Relu (x) y = Dropout (a)", "", 0),
        ("a = Relu (x) b = Dropout (a, ratio) y = Neg (b)", "", 0),
        ("a = Relu (x) b = Dropout (a, ratio, off) y = Neg (b)", "", 0),
        ("a = Relu (x) y, mask = Dropout (a)", ", bool[n,2] mask", 1),
        ("a = Relu (x) b, m = Dropout (a) c = Cast <to=1> (m) y = Add (b, c)", "", 1),
        ("a = Relu (x) b = Dropout (a, none, on) y = Mul (b, zero)", "", 1),
    ],
)
def test_dropouts(
    body: str,
    outputs: str,
    left: int,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    weights = {
        "ratio": np.array(0.5, np.float32),
        "none": np.array(0.5, np.float32),
        "zero": np.array(0.0, np.float32),
        "off": np.array(False),  # noqa: FBT003 - a tensor
        "on": np.array(True),  # noqa: FBT003 - a tensor
    }
    model = parse(f"g (float[n,2] x) => (float[n,2] y{outputs}) {{ {body} }}", weights)
    result = EliminateDropout()(model, prove(x=X))
    assert ops(result.model).get("Dropout", 0) == left
    assert result.record.changed == (left == 0)
