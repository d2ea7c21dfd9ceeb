"""GELU in the order that engines know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.passes.order_gelu import OrderGelu
from edgeworthy.optimization.proof import Proof

X = np.linspace(-6, 6, 64, dtype=np.float32).reshape(4, 16)
CONSTANTS: dict[str, NDArray[np.float32]] = {
    "root": np.array(np.sqrt(2.0), np.float32),
    "one": np.array(1.0, np.float32),
    "half": np.array(0.5, np.float32),
    "third": np.array(1 / 3, np.float32),
}
CURVE = "n = Neg (x) d = Div (n, root) e = Erf (d) a = Add (e, one) "


@pytest.mark.parametrize(
    ("rest", "changed"),
    [
        ("h = Mul (half, a) y = Mul (n, h)", True),
        ("h = Mul (a, half) y = Mul (h, n)", True),
        ("h = Mul (n, a) y = Mul (h, half)", False),
        ("h = Mul (third, a) y = Mul (n, h)", False),
        ("h = Mul (half, a) m = Mul (n, h) y = Add (m, h)", False),
        ("h = Mul (half, a) z = Neg (h) m = Neg (z) y = Mul (m, h)", False),
    ],
)
def test_only_a_halved_factor_moves_and_no_bit_changes(
    rest: str, *, changed: bool, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(f"g (float[n,16] x) => (float[n,16] y) {{ {CURVE} {rest} }}", CONSTANTS)
    proof = prove(x=X)
    result = OrderGelu()(model, proof)
    assert result.record.changed is changed
    assert proof.compare(model, result.model).largest_difference == 0.0


def test_the_engine_knows_the_curve_afterwards(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof], tmp_path: Path
) -> None:
    text = f"g (float[n,16] x) => (float[n,16] y) {{ {CURVE} h = Mul (half, a) y = Mul (n, h) }}"
    model = parse(text, CONSTANTS)
    ordered = OrderGelu()(model, prove(x=X)).model
    assert [_loaded(each, tmp_path)["Gelu"] for each in (model, ordered)] == [0, 1]


def _loaded(model: ModelProto, folder: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Counter(node.op_type for node in onnx.load(folder / "loaded.onnx").graph.node)
