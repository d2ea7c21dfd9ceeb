"""Dense layers written as a product and a sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.graph import load_model
from edgeworthy.optimization import Refusal, make_variant, recipes_for
from edgeworthy.optimization.passes.gather_gemm import GatherGemm
from edgeworthy.optimization.proof import Proof

WEIGHTS: dict[str, NDArray[np.float32]] = {
    "w": np.arange(12, dtype=np.float32).reshape(3, 4),
    "bias": np.arange(4, dtype=np.float32),
    "row": np.ones((1, 4), np.float32),
    "one": np.ones((), np.float32),
    "each": np.ones((2, 4), np.float32),
}
X = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    "body",
    [
        "p = MatMul (x, w) y = Add (p, bias)",
        "p = MatMul (x, w) y = Add (bias, p)",
        "p = MatMul (x, w) y = Add (p, row)",
    ],
)
def test_a_product_and_its_bias_are_one_operator(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(f"g (float[n,3] x) => (float[n,4] y) {{ {body} }}", WEIGHTS)
    result = GatherGemm()(model, prove(x=X)).model
    assert [node.op_type for node in result.graph.node] == ["Gemm"]


@pytest.mark.parametrize(
    "body",
    [
        "p = MatMul (x, w) y = Add (p, one)",
        "p = MatMul (x, w) y = Add (p, each)",
        "p = MatMul (x, w) y = Add (p, p)",
        "p = MatMul (x, w) r = Relu (p) y = Add (p, r)",
        "v = Abs (w) p = MatMul (x, v) y = Add (p, bias)",
        "p = MatMul (x, w) b = Abs (bias) y = Add (p, b)",
        "p = MatMul (x, w) y = Mul (p, bias)",
    ],
)
def test_other_products_stay(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(f"g (float[n,3] x) => (float[n,4] y) {{ {body} }}", WEIGHTS)
    assert not GatherGemm()(model, prove(x=X)).record.changed


def test_a_stack_of_matrices_stays(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    text = "g (float[n,2,3] x) => (float[n,2,4] y) { p = MatMul (x, w) y = Add (p, bias) }"
    assert not GatherGemm()(parse(text, WEIGHTS), prove(x=X[np.newaxis])).record.changed


def test_a_dense_layer_before_a_float_curve_computes_in_integers(
    parse: Callable[..., ModelProto], tmp_path: Path, generator: np.random.Generator
) -> None:
    weights = {
        "w": generator.standard_normal((16, 8)).astype(np.float32),
        "bias": generator.standard_normal(8).astype(np.float32),
    }
    text = (
        "g (float[n,16] x) => (float[n,8] y) { p = MatMul (x, w) a = Add (p, bias) y = Tanh (a) }"
    )
    path = tmp_path / "model.onnx"
    onnx.save(parse(text, weights), path)
    samples = generator.standard_normal((8, 4, 16)).astype(np.float32)

    def calibration() -> Iterator[dict[str, NDArray[Any]]]:
        return ({"x": x} for x in samples)

    digest = "sha256:" + "0" * 64
    recipe = recipes_for(["x86-vnni"])[1]
    made = make_variant(
        load_model(path), recipe, calibration=calibration, calibration_digest=digest, seed=0
    )
    assert not isinstance(made, Refusal), made.reason
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(made.data, options, providers=["CPUExecutionProvider"])
    loaded = Counter(node.op_type for node in onnx.load(tmp_path / "loaded.onnx").graph.node)
    assert loaded["QGemm"] == 1
    assert not loaded["DequantizeLinear"]
