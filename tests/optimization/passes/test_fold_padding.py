"""Zeros around a picture become the convolution's own padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.passes.fold_padding import FoldPadding
from edgeworthy.optimization.proof import Proof

X = np.arange(2 * 25, dtype=np.float32).reshape(1, 2, 5, 5)
WEIGHTS = {
    "w": np.arange(2 * 2 * 9, dtype=np.float32).reshape(2, 2, 3, 3) - 15,
    "ring": np.array([0, 0, 1, 2, 0, 0, 0, 1]),
    "crop": np.array([0, 0, -1, 0, 0, 0, 0, 0]),
    "more": np.array([0, 1, 0, 0, 0, 0, 0, 0]),
    "wide": np.ones((2, 3, 3, 3), np.float32),
    "ring2": np.array([1, 1, 1, 1]),
    "axes": np.array([2, 3]),
    "zero": np.array(0.0, np.float32),
    "one": np.array(1.0, np.float32),
}
FOLDED = [
    "p = Pad (x, ring) y = Conv (p, w)",
    "p = Pad (x, ring, zero) y = Conv <pads=[1,0,0,2]> (p, w)",
    'p = Pad (x, ring) y = Conv <auto_pad="VALID", strides=[2,1]> (p, w)',
    "p = Pad (x, ring) a = Conv (p, w) b = Conv <dilations=[1,1]> (p, w) y = Add (a, b)",
]
LEFT = [
    "p = Pad (x, ring, one) y = Conv (p, w)",
    'p = Pad <mode="reflect"> (x, ring) y = Conv (p, w)',
    "p = Pad (x, crop) y = Conv (p, w)",
    "p = Pad (x, more) y = Conv (p, wide)",
    "p = Pad (x, ring2, zero, axes) y = Conv (p, w)",
    'p = Pad (x, ring) y = Conv <auto_pad="SAME_UPPER"> (p, w)',
    "p = Pad (x, ring) c = Conv (p, w) r = Relu (p) s = ReduceSum (r) y = Add (c, s)",
    "p = Pad (x, ring) y = Conv (x, p)",
    "s = Shape (w) z = Mul (s, s) p = Pad (x, z) y = Conv (p, w)",
]


@pytest.mark.parametrize(
    ("body", "folds"), [(b, True) for b in FOLDED] + [(b, False) for b in LEFT]
)
def test_paddings(
    body: str,
    folds: bool,  # noqa: FBT001 - a parameter
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(f"g (float[n,2,5,5] x) => (float[n,o,h,v] y) {{ {body} }}", WEIGHTS, opset=18)
    if not folds:
        assert not FoldPadding().call(model).changed
        return
    result = FoldPadding()(model, prove(x=X))
    assert "Pad" not in ops(result.model)
    assert result.equivalence is not None
    assert result.equivalence.largest_difference < 1e-6


def test_an_old_operator_set_is_left_alone(parse: Callable[..., ModelProto]) -> None:
    model = parse("g (float[n] x) => (float[n] y) { y = Relu (x) }", opset=10)
    assert "older than 11" in FoldPadding().requires(model)
