"""Why a model is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.quantization import why_not

WEIGHTS = {
    "w": np.ones((2, 2), np.float32),
    "w64": np.ones((2, 2), np.float64),
    "s": np.array(0.5, np.float32),
    "z": np.array(0, np.uint8),
}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("y = MatMul (x, w)", ""),
        ("y = Relu (x)", "there is nothing to gain: the model has no Conv, Gemm, MatMul"),
        ("y = MatMul (x, x)", "has constant float32 weights"),
        (
            "c = Cast <to=11> (x) d = MatMul (c, w64) y = Cast <to=1> (d)",
            "has constant float32 weights",
        ),
        (
            "q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) y = MatMul (d, w)",
            "already quantized: it has DequantizeLinear, QuantizeLinear",
        ),
        (
            """h = MatMul (x, w) f = ReduceSum <keepdims=0> (h) c = Cast <to=9> (f)
            y = If (c) <then_branch = t () => (float[n,2] a) { a = Relu (h) },
                        else_branch = e () => (float[n,2] b) { b = Neg (h) }>""",
            "tensors inside If cannot be observed",
        ),
    ],
)
def test_reasons(body: str, reason: str, parse: Callable[..., ModelProto]) -> None:
    found = why_not(parse(f"g (float[2,2] x) => (float[n,2] y) {{ {body} }}", WEIGHTS))
    assert reason in found
    assert bool(found) == bool(reason)
