"""Models that decode and still cannot be worked with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.errors import ModelFileError
from edgeworthy.graph import load_model
from edgeworthy.graph.checking import standard_opset

WriteModel = Callable[..., Path]
Break = Callable[[onnx.ModelProto], object]


def no_nodes(model: onnx.ModelProto) -> None:
    model.graph.ClearField("node")
    model.graph.ClearField("output")


def no_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].domain = "ai.onnx.ml"


def opset(version: int) -> Break:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = version

    return change


def ir(version: int) -> Break:
    def change(model: onnx.ModelProto) -> None:
        model.ir_version = version

    return change


def same_output_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def same_input_twice(model: onnx.ModelProto) -> None:
    model.graph.input.append(model.graph.input[0])


def same_initializer_twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def output_of_nobody(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "nobody"


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "MatMull"


def input_of_nobody(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "nobody"


def no_inputs(model: onnx.ModelProto) -> None:
    values = numpy_helper.from_array(numpy_helper.to_array(model.graph.initializer[0]), "x")
    model.graph.initializer.append(values)


def no_outputs(model: onnx.ModelProto) -> None:
    model.graph.ClearField("output")


def wrong_length(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"\0" * 31


def absurd_size(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]


def negative_size(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-4, -2]


def unknown_type(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_type = 77


def two_fields(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].float_data.extend([1.0] * 8)


def wrong_field(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].int64_data.extend([1] * 8)


def too_few_values(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].float_data.extend([1.0] * 7)


def text_as_bytes(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_type = TensorProto.STRING


def sparse_bomb(model: onnx.ModelProto) -> None:
    values = numpy_helper.from_array(numpy_helper.to_array(model.graph.initializer[0])[0], "bomb")
    indices = helper.make_tensor("at", TensorProto.INT64, [2], [0, 1])
    sparse = helper.make_sparse_tensor(values, indices, [1 << 30, 1 << 30])
    model.graph.sparse_initializer.append(sparse)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_nodes, "no graph"),
        (no_opset, "unsupported opset. Expected .* from 7 to [0-9]+, found none"),
        (opset(6), "found opset 6"),
        (opset(9999), "found opset 9999"),
        (ir(2), "found IR version 2"),
        (ir(9999), "found IR version 9999"),
        (same_output_twice, "duplicate names of tensors: `y`"),
        (same_input_twice, "duplicate names of inputs: `x`"),
        (same_initializer_twice, "duplicate names of initializers: `weight`"),
        (output_of_nobody, "no node makes the outputs `nobody`"),
        (unknown_operator, "not a valid ONNX model: .*MatMull"),
        (input_of_nobody, "not a valid ONNX model: .*nobody"),
        (no_inputs, "the graph has no inputs"),
        (no_outputs, "the graph has no outputs"),
        (wrong_length, "`weight` do not fit its shape. Expected 32 bytes, found 31 bytes for"),
        (absurd_size, "do not fit its shape. Expected [0-9]{25} bytes, found 32 bytes"),
        (negative_size, r"Expected sizes that are not negative, found the shape \[-4, -2\]"),
        (unknown_type, "Expected a data type that we know, found data type 77"),
        (two_fields, "data in two fields"),
        (wrong_field, "found data in int64_data"),
        (too_few_values, "Expected 8 values, found 7 values"),
        (text_as_bytes, "data in two fields or the wrong one"),
        (sparse_bomb, "the sparse tensor `bomb` declares an absurd shape"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoiled_model_is_refused(
    write_model: WriteModel, linear: onnx.ModelProto, spoil: Break, words: str
) -> None:
    spoil(linear)
    with pytest.raises(ModelFileError, match=words) as caught:
        load_model(write_model(linear))
    assert caught.value.where.endswith("model.onnx")
    assert caught.value.next_step


def test_names_that_are_not_text(write_model: WriteModel, linear: onnx.ModelProto) -> None:
    path = write_model(linear)
    path.write_bytes(path.read_bytes().replace(b"weight", b"w\xff\xfe\xfdht"))
    with pytest.raises(ModelFileError, match="names that are not UTF-8 text"):
        load_model(path)


def test_both_names_of_the_standard_domain_count(linear: onnx.ModelProto) -> None:
    linear.opset_import[0].domain = "ai.onnx"
    assert standard_opset(linear) == 17
    assert standard_opset(onnx.ModelProto()) == 0


def test_a_sparse_initializer_of_decent_size_is_accepted(
    write_model: WriteModel, linear: onnx.ModelProto
) -> None:
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("at", TensorProto.INT64, [2], [0, 5])
    linear.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 2]))
    load_model(write_model(linear))
