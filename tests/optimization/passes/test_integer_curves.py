"""Curves between integers: hard sigmoids as additions, GELU as one operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.fuse_gelu import FuseGelu
from edgeworthy.optimization.passes.integer_hard_sigmoid import IntegerHardSigmoid

X = np.linspace(-8, 8, 256, dtype=np.float32).reshape(4, 64)


def quantized(
    kind: str, highest: float = 1.0, lowest: int | None = None
) -> dict[str, NDArray[Any]]:
    limits = np.iinfo(kind)
    return {
        "step": np.array(16 / 255, np.float32),
        "middle": np.array((limits.min + limits.max + 1) // 2, kind),
        "fine": np.array(highest / 255, np.float32),
        "low": np.array(limits.min if lowest is None else lowest, kind),
    }


def between(
    curve: str, parse: Callable[..., ModelProto], constants: dict[str, NDArray[Any]]
) -> ModelProto:
    return parse(
        f"""g (float[4,64] x) => (float[4,64] y) {{
        q = QuantizeLinear (x, step, middle) a = DequantizeLinear (q, step, middle)
        {curve}
        r = QuantizeLinear (b, fine, low) y = DequantizeLinear (r, fine, low) }}""",
        constants,
    )


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize(
    ("alpha", "beta"), [(1 / 6, 0.5), (0.2, 0.5), (1.0, 0.0), (0.5, -0.25), (3.0, 2.0)]
)
def test_a_hard_sigmoid_is_an_addition_of_the_same_steps(
    kind: str, alpha: float, beta: float, parse: Callable[..., ModelProto]
) -> None:
    curve = f"b = HardSigmoid <alpha={alpha:f}, beta={beta:f}> (a)"
    model = between(curve, parse, quantized(kind))
    result = IntegerHardSigmoid().call(model)
    assert result.changed
    assert "HardSigmoid" not in {node.op_type for node in result.model.graph.node}
    before, after = (
        Executor(each, optimized=True).run({"x": X})["y"] for each in (model, result.model)
    )
    assert np.abs(before - after).max() <= 1 / 255 + 1e-6
    assert (before == after).mean() > 0.9  # but for ties between two steps


@pytest.mark.parametrize(
    ("curve", "constants"),
    [
        ("b = HardSigmoid <alpha=-0.2> (a)", quantized("uint8")),
        ("n = Neg (a) b = HardSigmoid (n)", quantized("uint8")),
        ("h = HardSigmoid (a) b = Neg (h)", quantized("uint8")),
        ("h = HardSigmoid (a) b = Add (h, h)", quantized("uint8")),
        ("b = HardSigmoid (a)", quantized("uint8", highest=2.0)),
        ("b = HardSigmoid (a)", quantized("uint8", lowest=3)),
    ],
    ids=["falling", "float before", "float behind", "read twice", "wide range", "below zero"],
)
def test_what_its_range_does_not_cut_off_stays(
    curve: str, constants: dict[str, NDArray[Any]], parse: Callable[..., ModelProto]
) -> None:
    assert not IntegerHardSigmoid().call(between(curve, parse, constants)).changed


GELU: dict[str, NDArray[Any]] = {
    "root": np.array(np.sqrt(2.0), np.float32),
    "one": np.array(1.0, np.float32),
    "half": np.array(0.5, np.float32),
    "deep": np.full((1, 1, 1), 0.5, np.float32),
    "first": np.array([0], np.int64),
}
CURVE = "d = Div (a, root) e = Erf (d) p = Add (e, one) m = Mul (a, p) b = Mul (m, half)"


def test_a_gelu_behind_integers_is_one_operator(parse: Callable[..., ModelProto]) -> None:
    model = between(CURVE, parse, quantized("uint8", highest=8.0) | GELU)
    result = FuseGelu().call(model)
    kinds = [node.op_type for node in result.model.graph.node]
    assert kinds == [
        "QuantizeLinear",
        "DequantizeLinear",
        "Gelu",
        "QuantizeLinear",
        "DequantizeLinear",
    ]
    before, after = (
        Executor(each, optimized=True).run({"x": X})["y"] for each in (model, result.model)
    )
    assert np.abs(before - after).max() <= 8 / 255 + 1e-6
    assert (before == after).mean() > 0.98


@pytest.mark.parametrize(
    "curve",
    [
        "n = Neg (a) " + CURVE.replace("(a,", "(n,"),
        CURVE.replace("Mul (a, p)", "Mul (p, p)"),
        CURVE.replace("Div (a, root)", "Div (a, one)"),
        CURVE.replace("(e, one)", "(e, half)"),
        CURVE.replace("(m, half)", "(m, one)"),
        CURVE.replace("(m, half)", "(m, deep)").replace("b = ", "w = ") + " b = Squeeze (w, first)",
        CURVE.replace("b = Mul (m, half)", "h = Mul (m, half) b = Add (h, d)"),
        CURVE.replace("b = Mul (m, half)", "h = Mul (m, half) b = Add (h, p)"),
    ],
)
def test_other_curves_stay_as_they_are(curve: str, parse: Callable[..., ModelProto]) -> None:
    assert not FuseGelu().call(between(curve, parse, quantized("uint8") | GELU)).changed
