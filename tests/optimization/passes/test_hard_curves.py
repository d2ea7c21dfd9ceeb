"""Hard sigmoids and hard-swishes in the forms that engines know."""

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

from edgeworthy.optimization.passes.expand_hard_swish import ExpandHardSwish
from edgeworthy.optimization.passes.gather_hard_sigmoid import GatherHardSigmoid
from edgeworthy.optimization.proof import Proof

X = np.linspace(-6, 6, 2 * 2 * 16, dtype=np.float32).reshape(2, 2, 4, 4)
NUMBERS = {
    "three": 3.0,
    "six": 6.0,
    "sixth": 1 / 6,
    "zero": 0.0,
    "one": 1.0,
    "four": 4.0,
}
CONSTANTS: dict[str, NDArray[np.float32]] = {
    **{name: np.array(value, np.float32) for name, value in NUMBERS.items()},
    "wide": np.full((1, 1, 1, 1), 3.0, np.float32),
    "deep": np.full((1, 1, 1, 1, 1), 3.0, np.float32),
    "each": np.full((2, 1, 1), 3.0, np.float32),
    "w": np.ones((2, 2, 1, 1), np.float32),
}
CUT = "a = Add (n, three) c = Clip (a, zero, six) "
SWISHES = [
    f"{CUT} m = Mul (n, c) y = Div (m, six)",
    f"{CUT} m = Mul (c, n) y = Mul (sixth, m)",
    f"{CUT} d = Div (c, six) y = Mul (n, d)",
    f"{CUT} d = Mul (c, sixth) y = Mul (d, n)",
    f"{CUT} d = Mul (n, sixth) y = Mul (d, c)",
    "a = Add (wide, n) c = Clip (a, zero, six) m = Mul (n, c) y = Div (m, six)",
    "a = Add (n, three) r = Relu (a) c = Min (r, six) m = Mul (n, c) y = Div (m, six)",
    "a = Add (n, three) r = Max (a, zero) c = Min (six, r) m = Mul (n, c) y = Div (m, six)",
    "a = Add (n, three) r = Relu (a) c = Clip (r, , six) m = Mul (n, c) y = Div (m, six)",
]


@pytest.mark.parametrize("body", SWISHES)
def test_a_hard_swish_is_two_operators(
    body: str,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(f"g (float[n,2,4,4] x) => (float[n,2,4,4] y) {{ n = Neg (x) {body} }}", CONSTANTS)
    result = GatherHardSigmoid()(model, prove(x=X)).model
    assert ops(result) == {"Neg": 1, "HardSigmoid": 1, "Mul": 1}


def test_a_gate_alone_is_one(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    body = f"{CUT} y = Div (c, six)"
    model = parse(f"g (float[n,2,4,4] x) => (float[n,2,4,4] y) {{ n = Neg (x) {body} }}", CONSTANTS)
    assert ops(GatherHardSigmoid()(model, prove(x=X)).model) == {"Neg": 1, "HardSigmoid": 1}


def test_a_gate_of_another_tensor_is_found_behind_its_product(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    body = f"n = GlobalAveragePool (x) {CUT} m = Mul (x, c) y = Div (m, six)"
    model = parse(f"g (float[n,2,4,4] x) => (float[n,2,4,4] y) {{ {body} }}", CONSTANTS)
    expected = {"GlobalAveragePool": 1, "HardSigmoid": 1, "Mul": 1}
    assert ops(GatherHardSigmoid()(model, prove(x=X)).model) == expected


def test_bounds_of_old_operator_sets_are_attributes(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    body = "a = Add (x, three) c = Clip <min=0.0, max=6.0> (a) y = Div (c, six)"
    model = parse(f"g (float[n,2,4,4] x) => (float[n,2,4,4] y) {{ {body} }}", CONSTANTS, opset=10)
    assert ops(GatherHardSigmoid()(model, prove(x=X)).model) == {"HardSigmoid": 1}


@pytest.mark.parametrize(
    "body",
    [
        "a = Add (n, three) c = Clip (a, zero, six) m = Mul (n, c) y = Div (m, four)",
        "a = Add (n, three) c = Clip (a, one, six) m = Mul (n, c) y = Div (m, six)",
        "a = Add (n, three) c = Clip (a, zero) m = Mul (n, c) y = Div (m, six)",
        "a = Add (n, three) c = Clip (a, zero, six) m = Mul (n, c) y = Div (six, m)",
        "a = Add (n, three) c = Clip (a, zero, six) y = Mul (c, c)",
        "a = Add (n, three) c = Clip (a, zero, six) d = Div (c, six) y = Mul (a, d)",
        "a = Add (n, three) c = Clip (a, zero, six) d = Div (c, six) y = Mul (c, d)",
        "a = Add (n, each) c = Clip (a, zero, six) y = Div (c, six)",
        "a = Add (n, n) c = Clip (a, zero, six) y = Div (c, six)",
        "a = Add (n, three) s = Abs (six) c = Clip (a, zero, s) y = Div (c, six)",
        "a = Add (n, three) c = Min (a, six) y = Div (c, six)",
        "a = Add (n, three) r = Max (a, one) c = Min (r, six) y = Div (c, six)",
        "a = Mul (n, three) c = Clip (a, zero, six) y = Div (c, six)",
    ],
)
def test_other_curves_stay(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(f"g (float[n,2,4,4] x) => (float[n,2,4,4] y) {{ n = Neg (x) {body} }}", CONSTANTS)
    assert not GatherHardSigmoid()(model, prove(x=X)).record.changed


def test_a_constant_that_adds_axes_stays(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    body = "a = Add (x, deep) c = Clip (a, zero, six) y = Div (c, six)"
    model = parse(f"g (float[n,2,4,4] x) => (float[a,b,c0,d,e] y) {{ {body} }}", CONSTANTS)
    assert not GatherHardSigmoid()(model, prove(x=X)).record.changed


def test_the_engine_computes_it_inside_the_convolution(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof], tmp_path: Path
) -> None:
    weights = {"k": np.ones((16, 16, 1, 1), np.float32)}
    body = f"n = Conv (x, k) {SWISHES[0].replace('y =', 's =')} y = Conv (s, k)"
    text = f"g (float[1,16,4,4] x) => (float[1,16,4,4] y) {{ {body} }}"
    model = parse(text, CONSTANTS | weights)
    x = np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 16, 4, 4)
    gathered = GatherHardSigmoid()(model, prove(x=x)).model
    assert [_loaded(each, tmp_path)["Clip"] for each in (model, gathered)] == [1, 0]
    assert not _loaded(gathered, tmp_path).keys() & {"HardSigmoid", "Mul"}


def _loaded(model: ModelProto, folder: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Counter(node.op_type for node in onnx.load(folder / "loaded.onnx").graph.node)


def test_hard_swish_becomes_a_product_that_keeps_its_name(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse("g (float[n,2,4,4] x) => (float[n,2,4,4] y) { y = HardSwish (x) }", {}, opset=14)
    model.graph.node[0].name = "curve"
    result = ExpandHardSwish()(model, prove(x=X)).model
    assert [(node.op_type, node.name) for node in result.graph.node] == [
        ("HardSigmoid", "curve_gate"),
        ("Mul", "curve"),
    ]


def test_a_plain_number_that_gets_an_axis_stays(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    body = (
        "n = ReduceMax <keepdims=0> (x) a = Add (n, line) c = Clip (a, zero, six) y = Div (c, six)"
    )
    constants = CONSTANTS | {"line": np.full(1, 3.0, np.float32)}
    model = parse(f"g (float[n,2,4,4] x) => (float[1] y) {{ {body} }}", constants)
    assert not GatherHardSigmoid()(model, prove(x=X)).record.changed
