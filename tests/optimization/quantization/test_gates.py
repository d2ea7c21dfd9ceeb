"""Which gates and products compute in integers, and what comes out of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.documents.device import InstructionSet
from edgeworthy.graph import load_model
from edgeworthy.optimization import Refusal, make_variant, recipes_for
from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.quantization import make_plan, without_shut

WEIGHTS = {
    "k": np.ones((2, 2, 1, 1), np.float32),
    "half": np.array(0.5, np.float32),
    "each": np.ones((2, 1, 1), np.float32),
}
SWISH = "m = Mul (a, s) y = Conv (m, k)"
GATED = "s = HardSigmoid (c) m = Mul (b, s) y = Conv (m, k)"
POOLED = "p = GlobalAveragePool ({}) c = Conv (p, k)"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"s = Sigmoid (a) {SWISH}", ["Sigmoid", "Mul"]),
        ("s = Sigmoid (a) m = Mul (s, a) y = Conv (m, k)", ["Sigmoid", "Mul"]),
        (f"s = HardSigmoid (a) {SWISH}", ["HardSigmoid", "Mul"]),
        # a gate per channel, before and behind another curve
        (
            f"r = Relu (a) {POOLED.format('r')} s = Sigmoid (c) m = Mul (r, s) y = Conv (m, k)",
            ["Sigmoid", "Mul"],
        ),
        # two products in a row: the one is read by the other
        (
            f"h = HardSigmoid (a) b = Mul (a, h) {POOLED.format('b')} {GATED}",
            ["HardSigmoid", "Mul", "HardSigmoid", "Mul"],
        ),
        # numbers behind the curve
        (
            "s = Sigmoid (a) m = Mul (a, s) t = Mul (m, half) u = Add (half, t) y = Conv (u, k)",
            ["Sigmoid", "Mul", "Mul", "Add"],
        ),
        ("t = Mul (a, half) y = Exp (t)", []),
        ("t = Mul (x, half) y = Conv (t, k)", []),
        ("t = Mul (half, half) u = Mul (a, t) y = Conv (u, k)", []),
        ("t = Mul (a, each) y = Conv (t, k)", []),
        # nobody reads it in integers
        ("s = Sigmoid (a) y = Mul (a, s)", []),
        ("s = Sigmoid (a) m = Mul (a, s) y = Exp (m)", []),
        # a factor that comes in as float, a gate that others read, one of something in float
        ("s = Sigmoid (a) m = Mul (x, s) y = Conv (m, k)", []),
        ("s = Sigmoid (a) m = Mul (a, s) c = Conv (m, k) y = Sub (c, s)", []),
        ("s = Sigmoid (x) m = Mul (x, s) y = Conv (m, k)", []),
        ("e = Exp (a) s = Sigmoid (e) m = Mul (a, s) y = Conv (m, k)", []),
        # no gate, or one that falls
        (f"s = Tanh (a) {SWISH}", []),
        (f"s = HardSigmoid <alpha=-0.2> (a) {SWISH}", []),
        ("s = Sigmoid (a) m = Mul (half, s) y = Conv (m, k)", []),
    ],
)
def test_a_gate_between_integers_is_one_of_them(
    body: str, expected: list[str], parse: Callable[..., ModelProto]
) -> None:
    text = f"g (float[n,2,3,3] x) => (float[n,2,3,3] y) {{ a = Conv (x, k) {body} }}"
    model = NameNodes().call(parse(text, WEIGHTS)).model
    kinds = {node.name: node.op_type for node in model.graph.node}
    gated = {"Add", "HardSigmoid", "Mul", "Sigmoid", "Tanh"}
    assert [kinds[name] for name in make_plan(model).nodes if kinds[name] in gated] == expected


@pytest.mark.parametrize("kept", ["Mul", "HardSigmoid"])
def test_a_gate_or_a_product_that_must_be_float_keeps_the_other_there(
    kept: str, parse: Callable[..., ModelProto]
) -> None:
    body = f"a = Conv (x, k) s = HardSigmoid (a) {SWISH}"
    text = f"g (float[n,2,3,3] x) => (float[n,2,3,3] y) {{ {body} }}"
    model = NameNodes().call(parse(text, WEIGHTS)).model
    assert not {"HardSigmoid", "Mul"} & set(make_plan(model, float_nodes=(kept,)).nodes)


@pytest.mark.parametrize(
    ("body", "lowest"),
    [
        ("s = Sigmoid (a) m = Mul (a, s) y = Conv (m, k)", -8.0),
        ("s = HardSigmoid <alpha=0.25, beta=0.5> (a) m = Mul (s, a) y = Conv (m, k)", -2.0),
        # the gate of another tensor, and tensors that more than the gate and its product read
        ("s = Sigmoid (a) b = Conv (x, k) m = Mul (b, s) y = Conv (m, k)", -50.0),
        ("s = Sigmoid (a) m = Mul (a, s) c = Conv (m, k) y = Add (c, a)", -50.0),
        ("s = Sigmoid (a) m = Mul (a, s) c = Conv (s, k) y = Add (c, m)", -50.0),
        ("r = Relu (a) y = Conv (r, k)", -50.0),
    ],
)
def test_a_range_begins_where_the_gate_opens(
    body: str, lowest: float, parse: Callable[..., ModelProto]
) -> None:
    text = f"g (float[n,2,3,3] x) => (float[n,2,3,3] y) {{ a = Conv (x, k) {body} }}"
    model = NameNodes().call(parse(text, WEIGHTS)).model
    found = without_shut(model, {"a": TensorRange(-50.0, 30.0), "x": TensorRange(-50.0, 1.0)})
    assert found == {"a": TensorRange(lowest, 30.0), "x": TensorRange(-50.0, 1.0)}


def test_a_result_of_the_model_and_a_gate_that_never_opened_keep_their_range(
    parse: Callable[..., ModelProto],
) -> None:
    curve = "s = Sigmoid (a) m = Mul (a, s) y = Conv (m, k)"
    results = "float[n,2,3,3] y, float[n,2,3,3] a"
    text = f"g (float[n,2,3,3] x) => ({results}) {{ a = Conv (x, k) {curve} }}"
    seen = {"a": TensorRange(-50.0, 30.0)}
    assert without_shut(parse(text, WEIGHTS), seen) == seen
    never = {"a": TensorRange(-50.0, -20.0)}
    inner = f"g (float[n,2,3,3] x) => (float[n,2,3,3] y) {{ a = Conv (x, k) {curve} }}"
    assert without_shut(parse(inner, WEIGHTS), never) == never


SWISHES = {
    "one operator": ("h = HardSwish (b)", 14),
    "two": ("s = HardSigmoid <alpha=0.16666667, beta=0.5> (b) h = Mul (b, s)", 13),
    "four": ("a = Add (b, three) c = Clip (a, zero, six) m = Mul (b, c) h = Div (m, six)", 11),
}


@pytest.mark.parametrize("instruction_set", ["x86-vnni", "arm-dotprod"])
@pytest.mark.parametrize("form", SWISHES)
def test_every_hard_swish_ends_in_integer_operators_and_keeps_its_curve(
    form: str,
    instruction_set: InstructionSet,
    parse: Callable[..., ModelProto],
    tmp_path: Path,
    generator: np.random.Generator,
) -> None:
    curve, opset = SWISHES[form]
    weights = {
        "one": np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1),
        "three": np.array(3, np.float32),
        "six": np.array(6, np.float32),
        "zero": np.array(0, np.float32),
    }
    body = f"b = Conv (x, one) {curve} y = Conv (h, one)"
    text = f"g (float[1,4,8,8] x) => (float[1,4,8,8] y) {{ {body} }}"
    model = parse(text, weights, opset=opset)
    samples = generator.uniform(-6, 6, (16, 1, 4, 8, 8)).astype(np.float32)
    data = _integers(model, instruction_set, samples, tmp_path)
    loaded, session = _loaded(data, tmp_path)
    assert loaded["QLinearAdd"] == loaded["QLinearMul"] == 1
    assert not loaded.keys() & {"HardSigmoid", "HardSwish", "Mul", "Add", "Clip", "Div"}
    for x in samples:
        (found,) = session.run(None, {"x": x})
        expected = x * np.clip(x / 6 + 0.5, 0, 1)
        # a step of x and of y, and what half a step of the gate makes of the largest x
        np.testing.assert_allclose(found, expected, atol=1.5 * 12 / 255 + 6 / 510 + 0.01)


def _integers(
    model: ModelProto, kind: InstructionSet, samples: NDArray[Any], folder: Path
) -> bytes:
    path = folder / "model.onnx"
    onnx.save(model, path)
    made = make_variant(
        load_model(path),
        recipes_for([kind])[1],
        calibration=lambda: ({"x": x} for x in samples),
        calibration_digest="sha256:" + "0" * 64,
        seed=0,
    )
    assert not isinstance(made, Refusal), made.reason
    return made.data


def _loaded(data: bytes, folder: Path) -> tuple[dict[str, int], Any]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    options.log_severity_level = 4
    options.add_session_config_entry("session.qdqisint8allowed", "1")  # as it is on Arm
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    counts: dict[str, int] = {}
    for node in onnx.load(folder / "loaded.onnx").graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts, session
