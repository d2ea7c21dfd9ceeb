from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, parser

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.shapes import (
    TensorShape,
    fixed_batch,
    infer_shapes,
    real_inputs,
    shapes_per_sample,
    skeleton,
)


def model(graph: str) -> onnx.ModelProto:
    return parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}')


def test_the_batch_is_one_sample_wherever_its_name_occurs(network: onnx.ModelProto) -> None:
    found = shapes_per_sample(network)
    assert found["image"] == TensorShape(TensorProto.FLOAT, (1, 3, 8, 8))
    assert found["convolved"].sizes == (1, 4, 8, 8)
    assert found["row"].sizes == (1, 4)
    assert found["columns"].sizes == (4, 2)
    assert found["scores"].sizes == (1, 2)
    assert found["flat"] == TensorShape(TensorProto.INT64, (2,))


@pytest.mark.parametrize("value", [None, -1])
def test_a_batch_without_a_name_is_one_sample_too(value: int | None) -> None:
    graph = model("g (float[n, 3] x, float s) => (float[m, 3] y) { y = Relu (x) }")
    dim = graph.graph.input[0].type.tensor_type.shape.dim[0]
    dim.Clear()
    if value is not None:
        dim.dim_value = value
    assert shapes_per_sample(graph)["y"].sizes == (1, 3)


def test_what_cannot_be_told_is_absent() -> None:
    graph = model("g (float[n, t] x) => (float[n, t] y) { a = Relu (x) y = Relu (a) }")
    graph.graph.output[0].type.tensor_type.ClearField("shape")
    assert shapes_per_sample(graph) == {}


def test_an_output_whose_rank_cannot_be_told_is_absent() -> None:
    graph = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17, "own" : 1]>'
        "g (float[n, 4] x) => (float[n, 4] y) { y = own.Magic (x) }"
    )
    graph.graph.output[0].type.tensor_type.ClearField("shape")
    assert set(shapes_per_sample(graph)) == {"x"}


def test_large_weights_are_not_in_the_skeleton_but_their_shapes_are() -> None:
    graph = model("g (float[n, 64] x) => (float[n, 64] y) { y = MatMul (x, w) }")
    values = np.ones((64, 64), dtype=np.float32)
    graph.graph.initializer.append(numpy_helper.from_array(values, "w"))
    bare = skeleton(graph)
    assert len(bare.graph.initializer) == 0
    assert bare.ByteSize() < 300
    assert shapes_per_sample(graph)["y"].sizes == (1, 64)
    # older files list initializers among the inputs: then the shape is there already
    graph.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [64, 64]))
    assert [value.name for value in skeleton(graph).graph.input] == ["x", "w"]
    assert [value.name for value in real_inputs(graph.graph)] == ["x"]


@pytest.mark.parametrize(
    ("first", "second", "output", "batch"),
    [("8", "8", "8", 8), ("8", "4", "8", 1), ("n", "n", "n", 1), ("n", "8", "n", 1)],
)
def test_a_batch_is_fixed_when_all_agree(first: str, second: str, output: str, batch: int) -> None:
    graph = model(
        f"g (float[{first}, 2] a, float[{second}, 2] b) => (float[{output}, 2] y){{ y = Relu (a) }}"
    )
    assert fixed_batch(graph) == batch


def test_contradicting_shapes_are_refused_when_strict() -> None:
    graph = model(
        "g (float[n, 4] x) => (float[n, 2] y) <float[3, 2] w = {1, 2, 3, 4, 5, 6}>"
        "{ y = MatMul (x, w) }"
    )
    assert infer_shapes(graph).graph.output[0].name == "y"
    with pytest.raises(ModelFileError, match="the shapes contradict each other"):
        infer_shapes(graph, strict=True)
