"""Every data type is measured and searched for values that are not numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, parser

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.tensors import element_bits, element_count, packed_bytes, stored_tensors
from edgeworthy.graph.weights import check_finite, check_sizes

HERE = Path("model.onnx")
NUMBERS = sorted(
    number
    for name, number in TensorProto.DataType.items()
    if name not in ("UNDEFINED", "STRING") and not name.startswith("FLOAT6")
)


def check(model: onnx.ModelProto) -> None:
    check_sizes(model, where=HERE, limit_bytes=1 << 31)
    check_finite(model, where=HERE)


@pytest.mark.parametrize("raw", [False, True], ids=["typed", "raw"])
@pytest.mark.parametrize("data_type", NUMBERS, ids=TensorProto.DataType.Name)
def test_a_tensor_of_every_type_fits_its_shape(data_type: int, *, raw: bool) -> None:
    # onnx itself lays the values out: an independent account of how types are packed
    values = np.ones(5, dtype=helper.tensor_dtype_to_np_dtype(data_type))
    if raw:
        tensor = onnx.numpy_helper.from_array(values, "t")
        assert len(tensor.raw_data) == packed_bytes(5, data_type)
    else:
        tensor = helper.make_tensor("t", data_type, [5], values.tolist())
    model = onnx.ModelProto()
    model.graph.initializer.append(tensor)
    check(model)
    tensor.dims[0] = 50
    model.graph.initializer[0].CopyFrom(tensor)
    with pytest.raises(ModelFileError, match="do not fit its shape"):
        check(model)


def test_text_has_no_fixed_size() -> None:
    model = onnx.ModelProto()
    model.graph.initializer.append(
        onnx.numpy_helper.from_array(np.array(["word"], dtype=object), "t")
    )
    check(model)
    assert element_bits(TensorProto.STRING) == 0


@pytest.mark.parametrize(
    "data_type",
    [
        TensorProto.FLOAT,
        TensorProto.DOUBLE,
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.FLOAT8E5M2,
    ],
    ids=TensorProto.DataType.Name,
)
def test_a_nan_of_every_floating_type_is_found(data_type: int) -> None:
    model = onnx.ModelProto()
    values = [1.0, float("nan"), float("nan")]
    model.graph.initializer.append(helper.make_tensor("t", data_type, [3], values))
    with pytest.raises(ModelFileError, match="2 NaN and 0 infinite values in `t`"):
        check(model)


@pytest.mark.parametrize(
    ("node", "accepted"),
    [
        ("y = Clip (x, bound, ceiling)", True),
        ("y = Max (x, bound)", True),
        ("y = Add (x, bound)", False),
        ("z = Clip (x, bound) y = Mul (z, bound)", False),
    ],
)
def test_an_infinity_may_be_a_bound_but_not_a_weight(node: str, *, accepted: bool) -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[N] x) => (float[N] y)'
        f"<float bound = {{0}}, float ceiling = {{0}}> {{ {node} }}"
    )
    ceiling = helper.make_tensor("ceiling", TensorProto.FLOAT, [], [float("inf")])
    model.graph.initializer[1].CopyFrom(ceiling)
    bound = helper.make_tensor("bound", TensorProto.FLOAT, [], [float("-inf")])
    model.graph.initializer[0].CopyFrom(bound)
    if accepted:
        check(model)
    else:
        with pytest.raises(ModelFileError, match="0 NaN and 1 infinite values in `bound`"):
            check(model)


@pytest.mark.parametrize(("reader", "accepted"), [("Trilu", True), ("Mul", False)])
@pytest.mark.parametrize("op_type", ["Constant", "ConstantOfShape"])
def test_a_constant_is_judged_by_its_readers_whatever_its_tensor_is_called(
    op_type: str, reader: str, *, accepted: bool
) -> None:
    fill = helper.make_tensor("any name", TensorProto.FLOAT, [1], [float("-inf")])
    inputs = ["s"] if op_type == "ConstantOfShape" else []
    nodes = [
        helper.make_node(op_type, inputs, ["filled"], value=fill),
        helper.make_node(reader, ["filled", "x"], ["y"]),
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", [], []))
    if accepted:
        check(model)
    else:
        with pytest.raises(ModelFileError, match="0 NaN and 1 infinite values in `filled`"):
            check(model)


def test_an_infinity_that_is_an_output_is_a_weight() -> None:
    model = onnx.ModelProto()
    model.graph.initializer.append(helper.make_tensor("y", TensorProto.FLOAT, [1], [float("inf")]))
    model.graph.output.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1]))
    with pytest.raises(ModelFileError, match="in `y`"):
        check(model)


def test_every_stored_tensor_is_found_wherever_it_stands() -> None:
    def tensor(name: str) -> TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, [1], [1.0])

    def sparse(name: str) -> onnx.SparseTensorProto:
        indices = helper.make_tensor("", TensorProto.INT64, [1], [0])
        return helper.make_sparse_tensor(tensor(name), indices, [1])

    def constant(name: str) -> onnx.NodeProto:
        return helper.make_node("Constant", [], [f"{name}_out"], value=tensor(name))

    branch = helper.make_graph([constant("in_branch")], "b", [], [], [tensor("of_branch")])
    choice = helper.make_node("If", ["c"], ["y"], then_branch=branch)
    many = helper.make_node("Strange", [], ["z"], values=[tensor("first"), tensor("second")])
    lone = helper.make_node("Constant", [], ["s"], sparse_value=sparse("lone"))
    pair = helper.make_node("Strange", [], ["p"], values=[sparse("left"), sparse("right")])
    bodies = helper.make_node("Strange", [], ["q"], bodies=[branch])
    graph = helper.make_graph([choice, many, lone, pair, bodies], "g", [], [], [tensor("top")])
    graph.sparse_initializer.append(sparse("thin"))
    model = helper.make_model(graph)
    model.functions.append(
        helper.make_function("own", "f", [], ["o"], [constant("in_function"), choice], [])
    )
    model.training_info.add().initialization.initializer.append(tensor("in_training"))
    expected = [
        "top",
        "thin",
        "thin (indices)",
        "of_branch",
        "of_branch",
        "of_branch",
        "in_training",
    ]
    expected += ["in_branch_out"] * 3 + ["in_function_out"] + ["z", "z", "s", "s"] + ["p"] * 4
    assert sorted(name for name, _ in stored_tensors(model)) == sorted(expected)
    check(model)


def test_counts_are_exact_beyond_64_bits() -> None:
    tensor = TensorProto(dims=[1 << 62, 1 << 62], data_type=TensorProto.INT4)
    assert element_count(tensor) == 1 << 124
    assert packed_bytes(1 << 124, TensorProto.INT4) == 1 << 123
