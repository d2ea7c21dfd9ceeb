"""Which nodes compute in integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.quantization import make_plan

WEIGHTS = {
    "w": np.ones((2, 2), np.float32),
    "v": np.ones((2, 2), np.float32),
    "w3": np.ones((1, 2, 2), np.float32),
    "k": np.ones((2, 2, 1, 1), np.float32),
    "b": np.ones(2, np.float32),
    "tall": np.ones((4, 2), np.float32),
    "row": np.ones((1, 2), np.float32),
    "zero": np.array(0.0, np.float32),
    "six": np.array(6.0, np.float32),
    "half": np.array(0.5, np.float32),
}


@pytest.mark.parametrize(
    ("body", "quantized"),
    [
        ("y = MatMul (x, w)", ["MatMul"]),
        ("y = MatMul (w, x)", []),
        ("y = MatMul (v, w)", []),
        ("y = Gemm (x, w)", ["Gemm"]),
        ("y = Gemm (x, w, b)", ["Gemm"]),
        ("y = Gemm <transB=1> (x, w, b)", ["Gemm"]),
        ("y = Gemm (x, w, row)", []),
        ("y = Gemm (x, w, x)", []),
        ("y = Gemm <alpha=0.5> (x, w)", []),
        ("y = Gemm <beta=2.0> (x, w, b)", []),
        ("y = Gemm <transA=1> (x, w)", []),
        ("y = Gemm (x, x)", []),
        ("a = Gemm (x, w) y = Softmax (a)", ["Gemm"]),
        ("a = Gemm (x, w) c = Sigmoid (a) y = Gemm (c, v)", ["Gemm", "Gemm_1"]),
        ("a = Gemm (x, w) c = Clip (a, zero, six) y = Gemm (c, v)", ["Gemm", "Clip", "Gemm_1"]),
        ("a = Gemm (x, w) c = Clip (a, half, six) y = Gemm (c, v)", ["Gemm", "Gemm_1"]),
        ("a = Gemm (x, w) c = Clip (a, , half) y = Gemm (c, v)", ["Gemm", "Clip", "Gemm_1"]),
        ("a = Gemm (x, w) m = ReduceMin <keepdims=0> (x) y = Clip (a, m)", ["Gemm"]),
        ("a = Gemm (x, w) y = Add (a, x)", ["Gemm", "Add"]),
        ("a = MatMul (x, w) y = Add (a, b)", ["MatMul"]),
        ("a = MatMul (x, w) y = Relu (a)", ["MatMul"]),
        ("a = Gemm (x, w) r = Relu (a) y = Sigmoid (r)", ["Gemm"]),
        (
            "a = Gemm (x, w) r = Relu (a) s = Sigmoid (r) y = Gemm (r, v)",
            ["Gemm", "Relu", "Gemm_1"],
        ),
        ("a = MatMul (x, w) s = MatMul (a, x) y = Add (s, a)", ["MatMul"]),
        # boxes and scores side by side, read by nobody in integers
        ("a = Gemm (x, w) s = Sigmoid (a) y = Concat <axis=1> (a, s)", ["Gemm"]),
        ("a = Gemm (x, w) y = Concat <axis=1> (a, x)", ["Gemm"]),
        (
            "a = Gemm (x, w) c = Concat <axis=0> (a, x) y = Gemm (c, v)",
            ["Gemm", "Concat", "Gemm_1"],
        ),
        (
            "a = Gemm (x, w) c = Concat <axis=0> (a, x) t = Transpose (c) y = MatMul (t, tall)",
            ["Gemm", "Concat", "Transpose", "MatMul"],
        ),
        ("a = Gemm (x, w) c = Concat <axis=0> (a, x) y = Transpose (c)", ["Gemm"]),
        ("a = Gemm (x, w) y = Transpose (a)", ["Gemm", "Transpose"]),
        ("a = Gemm (x, w) s = Sigmoid (a) y = Transpose (s)", ["Gemm"]),
        ("t = Transpose (x) y = Gemm (t, w)", ["Transpose", "Gemm"]),
    ],
)
def test_choices(body: str, quantized: list[str], parse: Callable[..., ModelProto]) -> None:
    model = parse(f"g (float[2,2] x) => (float[c1,c2] y) {{ {body} }}", WEIGHTS)
    plan = make_plan(NameNodes().call(model).model)
    assert list(plan.nodes) == quantized


@pytest.mark.parametrize(("bias", "count"), [("", 1), (", b", 1), (", c", 0)])
def test_a_computed_bias_keeps_a_convolution_in_float(
    bias: str, count: int, parse: Callable[..., ModelProto]
) -> None:
    model = parse(
        f"g (float[n,2,1,1] x, float[2] c) => (float[n,2,1,1] y) {{ y = Conv (x, k{bias}) }}",
        WEIGHTS,
    )
    assert len(make_plan(NameNodes().call(model).model).nodes) == count


def test_a_relu_implies_the_range_before_it(parse: Callable[..., ModelProto]) -> None:
    model = parse(
        """g (float[n,2] x) => (float[n,2] y) {
        a = Gemm (x, w) r = Relu (a) shape = Shape (r) f = Reshape (r, shape) y = Gemm (f, v) }""",
        WEIGHTS,
    )
    plan = make_plan(NameNodes().call(model).model)
    assert plan.activations == ("x", "r", "f", "y")  # neither `a` nor the integers of `shape`
    assert plan.implied == {"a": "r"}
    assert plan.with_implied({"r": 1, "x": 2}) == {"r": 1, "x": 2, "a": 1}


def test_the_last_of_curves_in_a_row_implies_the_ranges_before_it(
    parse: Callable[..., ModelProto],
) -> None:
    model = parse(
        """g (float[n,2] x) => (float[n,2] y) {
        a = Gemm (x, w) r = Relu (a) s = Relu (r) y = Gemm (s, v) }""",
        WEIGHTS,
    )
    plan = make_plan(NameNodes().call(model).model)
    assert plan.implied == {"a": "r", "r": "s"}
    assert plan.with_implied({"x": 2, "s": 1}) == {"x": 2, "s": 1, "r": 1, "a": 1}


def test_a_result_that_others_read_has_a_range_of_its_own(parse: Callable[..., ModelProto]) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { a = Gemm (x, w) r = Relu (a) y = Add (r, a) }",
        WEIGHTS,
    )
    assert make_plan(NameNodes().call(model).model).implied == {}


def test_a_weight_whose_shape_the_exporter_noted_is_no_activation(
    parse: Callable[..., ModelProto],
) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y) { y = MatMul (x, w) }", {"w": WEIGHTS["w"]})
    noted = helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2])
    model.graph.value_info.append(noted)
    model.graph.node[0].name = "product"
    assert make_plan(model).activations == ("x", "y")


def test_what_lies_between_layers_in_float_is_in_float(parse: Callable[..., ModelProto]) -> None:
    """``s`` and ``r`` are between layers; with ``y`` in integers they lead to it."""
    model = parse(
        """g (float[n,2] x) => (float[n,2] y) {
        a = Gemm (x, w) c = Gemm (x, v) s = Add (a, c) r = Relu (s) y = Gemm (r, w) }""",
        WEIGHTS,
    )
    model = NameNodes().call(model).model
    assert make_plan(model, float_nodes=("Gemm", "Gemm_1", "Gemm_2")).nodes == ()
    assert make_plan(model, float_nodes=("Gemm", "Gemm_1")).nodes == ("Add", "Relu", "Gemm_2")
    assert make_plan(model, float_nodes=("Gemm_2",)).nodes == ("Gemm", "Gemm_1", "Add", "Relu")
