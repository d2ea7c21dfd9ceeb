"""Each remark appears when there is a reason for it, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper, parser

from edgeworthy.graph import inspect_model

WriteModel = Callable[..., Path]


@pytest.fixture
def remarks_on(write_model: WriteModel) -> Callable[[onnx.ModelProto], str]:
    def remark(model: onnx.ModelProto) -> str:
        return "\n".join(inspect_model(write_model(model)).warnings)

    return remark


Remark = Callable[[onnx.ModelProto], str]


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    for index, node in enumerate(model.graph.node):
        node.name = f"node{index}"
    return model


def parsed(graph: str, imports: str = '"" : 17') -> onnx.ModelProto:
    return named(parser.parse_model(f"<ir_version: 8, opset_import: [{imports}]> {graph}"))


def test_a_plain_model_gives_no_cause(linear: onnx.ModelProto, remarks_on: Remark) -> None:
    assert remarks_on(named(linear)) == ""


def test_mixed_opsets(linear: onnx.ModelProto, remarks_on: Remark) -> None:
    linear.opset_import.add(domain="ai.onnx", version=13)
    assert "Mixed opsets: the standard domain is imported in the versions 13, 17." in remarks_on(
        linear
    )


def test_mixed_opsets_of_a_function(remarks_on: Remark) -> None:
    model = parsed(
        "g (float[N, 4] x) => (float[N, 4] y) { y = own.double (x) }", '"" : 17, "own" : 1'
    )
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 2)]
    model.functions.append(helper.make_function("own", "double", ["a"], ["b"], body, imports))
    found = remarks_on(model)
    assert "Mixed opsets: `own` is imported in the versions 1, 2." in found
    assert "The model defines functions of its own in `own`." in found
    assert "custom domains" not in found


def test_custom_domains(remarks_on: Remark) -> None:
    model = parsed(
        "g (float[N, 4] x) => (float[N, 4] y) { y = com.maker.Magic (x) }",
        '"" : 17, "com.maker" : 1',
    )
    found = remarks_on(model)
    assert "Operators of the custom domains `com.maker`" in found
    assert "No multiply-accumulates were counted" in found


def test_unused_initializers(linear: onnx.ModelProto, remarks_on: Remark) -> None:
    linear.graph.initializer.append(helper.make_tensor("spare", TensorProto.FLOAT, [1], [1.0]))
    assert "Unused initializers take space: `spare`." in remarks_on(linear)


def test_a_quantized_model(remarks_on: Remark) -> None:
    model = parsed(
        "g (float[N, 4] x) => (float[N, 4] y) <float scale = {0.5}, uint8 zero = {0}>"
        "{ q = QuantizeLinear (x, scale, zero) y = DequantizeLinear (q, scale, zero) }"
    )
    found = remarks_on(model)
    assert "already quantized (`DequantizeLinear`, `QuantizeLinear`)" in found


def test_double_precision(remarks_on: Remark) -> None:
    model = parsed("g (double[N, 4] x) => (double[N, 4] y) { y = Identity (x) }")
    assert "float64 in `x`, `y`: twice the size" in remarks_on(model)


def test_nodes_without_names(linear: onnx.ModelProto, remarks_on: Remark) -> None:
    assert "1 node has no name" in remarks_on(linear)


def test_subgraphs(remarks_on: Remark) -> None:
    model = parsed(
        """g (float[N, 4] x, bool[1] c) => (float[N, 4] y) { y = If (c) <
        then_branch = t () => (float[N, 4] p) { p = Neg (x) },
        else_branch = e () => (float[N, 4] q) { q = Abs (x) }> }"""
    )
    found = remarks_on(model)
    assert "Subgraphs (`If`)" in found
    assert "2 nodes have no name" in found


def test_training_mode_and_training_graphs(remarks_on: Remark) -> None:
    model = parsed(
        "g (float[N, 4] x) => (float[N, 4] y) <float[4] s = {1, 1, 1, 1}>"
        "{ y, m, v = BatchNormalization <training_mode = 1> (x, s, s, s, s) }"
    )
    model.training_info.add()
    found = remarks_on(model)
    assert "training mode" in found
    assert "training graphs" in found


def test_arithmetic_without_a_rule(remarks_on: Remark) -> None:
    model = parsed(
        'g (float[N, 4] x) => (float[N, 4] y) { y = Einsum <equation = "ij,ij->ij"> (x, x) }'
    )
    assert "The multiply-accumulates of `Einsum` are not counted." in remarks_on(model)
