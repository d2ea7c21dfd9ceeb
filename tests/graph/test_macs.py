"""Each rule against a figure that was worked out by hand from the operator's definition."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from edgeworthy.graph.macs import has_rule, node_macs
from edgeworthy.graph.shapes import TensorShape

F = TensorProto.FLOAT


def macs(
    op_type: str, inputs: list[tuple[int, ...]], output: tuple[int, ...], **attributes: int
) -> int | None:
    names = [f"i{index}" for index in range(len(inputs))]
    node = helper.make_node(op_type, names, ["o"])
    node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
    shapes = {name: TensorShape(F, sizes) for name, sizes in zip(names, inputs, strict=True)}
    return node_macs(node, {**shapes, "o": TensorShape(F, output)})


def test_a_convolution_sums_over_channels_and_kernel() -> None:
    # 16 x 8 x 8 outputs, each over 3 x 3 x 3 inputs
    assert macs("Conv", [(1, 3, 8, 8), (16, 3, 3, 3)], (1, 16, 8, 8)) == 16 * 64 * 27


def test_a_depthwise_convolution_sums_over_the_kernel_alone() -> None:
    found = macs("Conv", [(1, 16, 8, 8), (16, 1, 3, 3)], (1, 16, 8, 8), group=16)
    assert found == 16 * 64 * 9


def test_a_convolution_over_time() -> None:
    assert macs("Conv", [(1, 6, 100), (32, 6, 5)], (1, 32, 96)) == 32 * 96 * 30


@pytest.mark.parametrize("op_type", ["ConvInteger", "FusedConv"])
def test_convolutions_with_the_weight_in_second_place(op_type: str) -> None:
    assert macs(op_type, [(1, 3, 8, 8), (16, 3, 3, 3)], (1, 16, 8, 8)) == 27648


def test_a_quantized_convolution_has_its_weight_in_fourth_place() -> None:
    inputs: list[tuple[int, ...]] = [(1, 3, 8, 8), (), (), (16, 3, 3, 3), (16,), (16,), (), ()]
    assert macs("QLinearConv", inputs, (1, 16, 8, 8)) == 27648


def test_a_transposed_convolution_spreads_its_inputs() -> None:
    # 8 x 5 x 5 inputs, each onto 4 channels x 2 x 2
    assert macs("ConvTranspose", [(1, 8, 5, 5), (8, 4, 2, 2)], (1, 4, 10, 10)) == 200 * 16


@pytest.mark.parametrize(("left", "attributes"), [((5, 64), {}), ((64, 5), {"transA": 1})])
def test_a_matrix_product(left: tuple[int, ...], attributes: dict[str, int]) -> None:
    assert macs("Gemm", [left, (64, 10)], (5, 10), **attributes) == 5 * 64 * 10


def test_a_product_of_many_matrices() -> None:
    assert macs("MatMul", [(2, 8, 16, 32), (2, 8, 32, 4)], (2, 8, 16, 4)) == 2 * 8 * 16 * 32 * 4


def test_a_product_of_two_vectors() -> None:
    assert macs("MatMul", [(7,), (7,)], ()) == 7


@pytest.mark.parametrize(
    "op_type", ["MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QLinearMatMul"]
)
def test_integer_products_count_as_float_ones(op_type: str) -> None:
    assert macs(op_type, [(3, 4), (4, 5)], (3, 5)) == 60


@pytest.mark.parametrize(("op_type", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_a_recurrent_layer(op_type: str, gates: int) -> None:
    # 20 steps of one sequence, 6 inputs, 8 states, both directions
    inputs: list[tuple[int, ...]] = [(20, 1, 6), (2, gates * 8, 6), (2, gates * 8, 8)]
    found = macs(op_type, inputs, (20, 2, 1, 8))
    assert found == 20 * 2 * gates * 8 * (6 + 8)


def test_an_operator_without_products() -> None:
    assert macs("Relu", [(1, 8)], (1, 8)) == 0
    assert not has_rule("Relu")
    assert has_rule("Conv")


@pytest.mark.parametrize("op_type", ["Conv", "ConvTranspose", "MatMul", "LSTM", "QLinearConv"])
def test_unknown_shapes_give_no_figure(op_type: str) -> None:
    node = helper.make_node(op_type, ["a", "b", "c", "d"], ["o"])
    assert node_macs(node, {}) is None


def test_a_scalar_operand_gives_no_figure() -> None:
    assert macs("MatMul", [(), ()], ()) is None


def test_missing_operands_give_no_figure() -> None:
    node = onnx.NodeProto(op_type="Conv", input=["x"], output=["o"])
    assert node_macs(node, {"x": TensorShape(F, (1,)), "o": TensorShape(F, (1,))}) is None
