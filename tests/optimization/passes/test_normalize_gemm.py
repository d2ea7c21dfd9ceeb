"""Factors of ``Gemm`` and odd biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes.normalize_gemm import NormalizeGemm
from edgeworthy.optimization.proof import Proof

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)


@pytest.mark.parametrize(
    ("node", "bias", "expected_bias"),
    [
        ("Gemm <beta=2.0> (x, w, b)", [1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]),
        ("Gemm <alpha=3.0, beta=0.5> (x, w, b)", 4.0, [2.0] * 4),
        ("Gemm (x, w, b)", [[1.0, 2.0, 3.0, 4.0]], [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_factors_move_into_the_constants(
    node: str,
    bias: Any,  # noqa: ANN401 - nested lists
    expected_bias: list[float],
    parse: Callable[..., ModelProto],
    reference: Callable[[ModelProto, dict[str, NDArray[Any]]], list[NDArray[Any]]],
    prove: Callable[..., Proof],
) -> None:
    weights = {"w": np.arange(8, dtype=np.float32).reshape(2, 4), "b": np.array(bias, np.float32)}
    model = parse(f"g (float[3,2] x) => (float[3,4] y) {{ y = {node} }}", weights)
    result = NormalizeGemm()(model, prove(x=X)).model
    gemm = result.graph.node[0]
    assert not gemm.attribute
    stored = {t.name: numpy_helper.to_array(t) for t in result.graph.initializer}
    np.testing.assert_array_equal(stored[gemm.input[2]], expected_bias)
    np.testing.assert_allclose(
        reference(result, {"x": X})[0], reference(model, {"x": X})[0], rtol=1e-6
    )


@pytest.mark.parametrize(
    "node",
    [
        "Gemm <beta=2.0> (x, w, column)",
        "Gemm <beta=2.0> (x, w, c)",
        "Gemm <alpha=2.0> (x, v)",
        "Gemm (x, w, plain)",
        "Gemm (x, w)",
    ],
)
def test_what_is_plain_or_computed_stays(
    node: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {
        "w": np.ones((2, 4), np.float32),
        "column": np.ones((3, 1), np.float32),
        "plain": np.ones(4, np.float32),
    }
    model = parse(
        f"g (float[3,2] x, float[2,4] v, float[4] c) => (float[3,4] y) {{ y = {node} }}", weights
    )
    proof = prove(x=X, v=np.ones((2, 4), np.float32), c=np.ones(4, np.float32))
    assert not NormalizeGemm()(model, proof).record.changed
