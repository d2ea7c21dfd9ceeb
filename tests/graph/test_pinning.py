from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper, parser

from edgeworthy.errors import ModelFileError, UsageError
from edgeworthy.graph import check_batch, check_static, model_signature, pin_axes

SERIES = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[batch, time, 6] x, float[batch, time] mask) => (float[batch, double_time, 6] y)
{
    y = Concat <axis = 1> (x, x)
    unused = Relu (mask)
}
"""


@pytest.fixture
def series() -> onnx.ModelProto:
    return parser.parse_model(SERIES)


def nameless(index: int) -> onnx.ModelProto:
    model = parser.parse_model(SERIES)
    model.graph.input[0].type.tensor_type.shape.dim[index].Clear()
    return model


def test_a_pinned_axis_gets_its_size_everywhere_and_the_batch_stays(
    series: onnx.ModelProto,
) -> None:
    before = series.SerializeToString()
    signature = model_signature(pin_axes(series, {"x": {"time": 50}}))
    assert [tensor.shape for tensor in signature.inputs] == [("batch", 50, 6), ("batch", 50)]
    assert signature.outputs[0].shape == ("batch", 100, 6)
    assert series.SerializeToString() == before
    check_static(signature)


def test_an_axis_without_a_name_is_pinned_by_its_place() -> None:
    pinned = pin_axes(nameless(1), {"x": {"axis_1": 50}})
    assert model_signature(pinned).inputs[0].shape == ("batch", 50, 6)
    # it has no name that would tie it to the other input
    assert model_signature(pinned).inputs[1].shape == ("batch", "time")


def test_minus_one_of_old_exporters_is_an_axis_without_a_name() -> None:
    model = nameless(1)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = -1
    assert model_signature(model).inputs[0].shape == ("batch", "axis_1", 6)
    pinned = pin_axes(model, {"x": {"axis_1": 50}})
    assert model_signature(pinned).inputs[0].shape == ("batch", 50, 6)


def test_without_pins_the_model_is_the_same(series: onnx.ModelProto) -> None:
    assert pin_axes(series, {}) is series
    assert pin_axes(series, {"x": {}}) is series


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        ({"X": {"time": 5}}, "no input is called `X`"),
        ({"x": {"tine": 5}}, "no dynamic axis of input `x` is called `tine`.*Write `time`"),
        ({"x": {"qqq": 5}}, "Correct or remove the pin"),
        ({"x": {"axis_2": 6}}, "is called `axis_2`"),
        ({"x": {"batch": 1}}, "`batch` is the batch and stays free"),
        ({"x": {"time": 0}}, "at least one element"),
        ({"x": {"time": 5}, "mask": {"time": 6}}, "pinned to two sizes. Found 5 and 6"),
    ],
)
def test_pins_that_cannot_be(
    series: onnx.ModelProto, pins: dict[str, dict[str, int]], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        pin_axes(series, pins)


def test_the_batch_is_not_pinned_through_another_axis() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[n, n] x) => (float[n, n] y)'
        "{ y = Relu (x) }"
    )
    with pytest.raises(UsageError, match="is the batch and stays free"):
        pin_axes(model, {"x": {"n": 4}})


def test_a_model_without_dynamic_axes_takes_no_pins(linear: onnx.ModelProto) -> None:
    scalar = helper.make_tensor_value_info("s", TensorProto.FLOAT, [])
    linear.graph.input.append(scalar)
    with pytest.raises(UsageError, match="Expected no pin"):
        pin_axes(linear, {"s": {"time": 4}})


def test_sizes_that_the_graph_contradicts() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[n, t] x) => (float[n, 2] y)'
        "<float[3, 2] w = {1, 2, 3, 4, 5, 6}> { y = MatMul (x, w) }"
    )
    assert model_signature(pin_axes(model, {"x": {"t": 3}})).inputs[0].shape == ("n", 3)
    with pytest.raises(ModelFileError, match="the shapes contradict each other"):
        pin_axes(model, {"x": {"t": 4}})


def test_a_model_that_breaks_the_strict_rules_anyway_can_still_be_pinned() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[n, t] x, float[n, 4] z) =>'
        "(float[n, t] y, float[n, 2] q) <float[3, 2] w = {1, 2, 3, 4, 5, 6}>"
        "{ y = Relu (x) q = MatMul (z, w) }"
    )
    assert model_signature(pin_axes(model, {"x": {"t": 7}})).outputs[0].shape == ("n", 7)


def test_check_static_names_every_axis_and_shows_the_next_step(series: onnx.ModelProto) -> None:
    with pytest.raises(ModelFileError) as caught:
        check_static(model_signature(series))
    assert caught.value.found == "`time` of input `x`, `time` of input `mask`"
    assert "`[model.inputs.x]` and `pin = { time = SIZE }`" in caught.value.next_step


def test_the_next_step_is_valid_toml_for_any_name(series: onnx.ModelProto) -> None:
    series.graph.input[0].name = "x:0"
    series.graph.input[0].type.tensor_type.shape.dim[1].dim_param = 'a "b"'
    with pytest.raises(ModelFileError) as caught:
        check_static(model_signature(series))
    assert '[model.inputs."x:0"]' in caught.value.next_step
    assert r'pin = { "a \"b\"" = SIZE }' in caught.value.next_step


def test_a_free_batch_alone_is_static(linear: onnx.ModelProto) -> None:
    check_static(model_signature(linear))


def test_question_marks_are_no_names_and_get_sizes_of_their_own() -> None:
    # PaddlePaddle writes "?" for height and for width
    model = parser.parse_model(SERIES)
    shape = model.graph.input[0].type.tensor_type.shape
    shape.dim[1].dim_param = shape.dim[2].dim_param = "?"
    assert model_signature(model).inputs[0].shape == ("batch", "axis_1", "axis_2")
    pinned = pin_axes(model, {"x": {"axis_1": 48, "axis_2": 6}})
    assert model_signature(pinned).inputs[0].shape == ("batch", 48, 6)
    assert model_signature(pinned).outputs[0].shape == ("batch", 96, 6)


def test_an_input_whose_batch_is_not_its_first_axis_is_named() -> None:
    state = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]>'
        "g (float[batch, 6] x, float[2, batch, 6] state) => (float[2, batch, 6] y)"
        "{ y = Add (x, state) }"
    )
    with pytest.raises(ModelFileError) as caught:
        check_batch(model_signature(state))
    assert caught.value.problem.startswith("the input `state` does not count samples")
    assert caught.value.found == "the batch `batch` as axis 1"


def test_an_input_without_axes_is_named() -> None:
    rated = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]>'
        "g (float[batch, 6] x, float rate) => (float[batch, 6] y) { y = Mul (x, rate) }"
    )
    with pytest.raises(ModelFileError) as caught:
        check_batch(model_signature(rated))
    assert caught.value.found == "no axis at all"
    assert "constant of the model" in caught.value.next_step


def test_inputs_that_share_their_first_axis_count_samples(series: onnx.ModelProto) -> None:
    check_batch(model_signature(series))
