from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper, parser

from edgeworthy.documents.model import TensorSignature
from edgeworthy.errors import ModelFileError
from edgeworthy.graph import model_signature


def model(graph: str) -> onnx.ModelProto:
    return parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}')


def test_inputs_and_outputs_in_the_order_of_the_graph() -> None:
    found = model_signature(
        model(
            "g (float[N, 3] b, int64[N] a) => (float[N, 3] z, int64[N] y)"
            "{ z = Relu (b) y = Identity (a) }"
        )
    )
    assert found.inputs == (
        TensorSignature(name="b", dtype="float32", shape=("N", 3)),
        TensorSignature(name="a", dtype="int64", shape=("N",)),
    )
    assert [tensor.name for tensor in found.outputs] == ["z", "y"]


def test_an_input_with_an_initializer_is_not_an_input(linear: onnx.ModelProto) -> None:
    linear.graph.input.append(helper.make_tensor_value_info("weight", TensorProto.FLOAT, [4, 2]))
    assert [tensor.name for tensor in model_signature(linear).inputs] == ["x"]


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.DOUBLE, "float64"),
        (TensorProto.UINT8, "uint8"),
        (TensorProto.BOOL, "bool"),
    ],
)
def test_types_go_by_their_numpy_names(linear: onnx.ModelProto, data_type: int, name: str) -> None:
    linear.graph.input[0].type.tensor_type.elem_type = data_type
    assert model_signature(linear).inputs[0].dtype == name


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        (TensorProto.STRING, "text"),
        (TensorProto.BFLOAT16, "bfloat16"),
        (TensorProto.COMPLEX64, "complex64"),
        (0, "type 0"),
        (99, "type 99"),
    ],
)
def test_types_that_engines_do_not_share(
    linear: onnx.ModelProto, data_type: int, name: str
) -> None:
    linear.graph.input[0].type.tensor_type.elem_type = data_type
    with pytest.raises(ModelFileError, match=f"the input `x` cannot be used.*found {name}"):
        model_signature(linear)


def test_an_output_without_a_shape_is_looked_up(linear: onnx.ModelProto) -> None:
    linear.graph.output[0].type.tensor_type.ClearField("shape")
    assert model_signature(linear).outputs[0].shape == ("N", 2)


def test_an_output_whose_shape_nobody_knows(linear: onnx.ModelProto) -> None:
    linear.graph.output[0].type.tensor_type.ClearField("shape")
    linear.graph.node[0].domain = "strange"
    with pytest.raises(
        ModelFileError, match=r"the shapes contradict each other: .*No opset import"
    ):
        model_signature(linear)
    linear.opset_import.add(domain="strange", version=1)
    with pytest.raises(ModelFileError, match=r"the output `y` cannot be used.*found no shape"):
        model_signature(linear)


def test_an_input_without_a_shape(linear: onnx.ModelProto) -> None:
    linear.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ModelFileError, match=r"the input `x` cannot be used.*found no shape"):
        model_signature(linear)


def test_an_input_that_is_no_tensor(linear: onnx.ModelProto) -> None:
    linear.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = TensorProto.FLOAT
    with pytest.raises(ModelFileError, match="Expected a tensor, found sequence_type"):
        model_signature(linear)
    linear.graph.input[0].ClearField("type")
    with pytest.raises(ModelFileError, match="Expected a tensor, found no type"):
        model_signature(linear)


def test_an_axis_of_size_zero(linear: onnx.ModelProto) -> None:
    linear.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 0
    with pytest.raises(ModelFileError, match="found size 0 at axis 1"):
        model_signature(linear)


@pytest.mark.parametrize("kind", ["input", "output"])
def test_a_graph_without_inputs_or_outputs(linear: onnx.ModelProto, kind: str) -> None:
    linear.graph.ClearField(kind)
    with pytest.raises(ModelFileError, match=f"the graph has no {kind}s"):
        model_signature(linear)
