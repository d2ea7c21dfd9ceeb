"""What the inspection says of whole models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from edgeworthy.documents.model import ModelInspection, OperatorCount
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import ModelFileError
from edgeworthy.graph import inspect_loaded, inspect_model, load_model

WriteModel = Callable[..., Path]
KEYWORDS = Path(__file__).parents[2] / "../shared/data/mlperf-tiny-kws/kws_fp32.onnx"


def operator(op_type: str, node_count: int, mac_count: int) -> OperatorCount:
    return OperatorCount(domain="", op_type=op_type, node_count=node_count, mac_count=mac_count)


def test_a_small_network_is_counted_to_the_last_figure(
    write_model: WriteModel, network: onnx.ModelProto
) -> None:
    found = inspect_model(write_model(network))
    assert found.operators == (
        operator("Conv", 1, 4 * 64 * 27),
        operator("MatMul", 1, 8),
        operator("Constant", 1, 0),
        operator("GlobalAveragePool", 1, 0),
        operator("Relu", 1, 0),
        operator("Reshape", 1, 0),
        operator("Transpose", 1, 0),
    )
    assert found.mac_count == 4 * 64 * 27 + 8
    # 4 x 3 x 3 x 3 weights, a 2 x 4 projection and the 2 sizes of the Reshape
    assert found.parameter_count == 108 + 8 + 2
    assert found.weight_bytes == 108 * 4 + 8 * 4 + 2 * 8
    # the convolved and the rectified picture, 4 x 8 x 8 floats each
    assert found.activation_peak_bytes == 2 * 4 * 64 * 4
    assert (found.opset_version, found.ir_version, found.producer) == (17, 8, "test 1.0")
    assert found.model_format == "onnx"
    assert found.warnings == ("7 nodes have no name: reports call them by their outputs.",)


def test_an_inspection_survives_the_disk(write_model: WriteModel, linear: onnx.ModelProto) -> None:
    found = inspect_loaded(load_model(write_model(linear)))
    assert decode_document(encode_document(found), ModelInspection, where="test") == found


def test_a_fixed_batch_is_divided_out(write_model: WriteModel) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[8, 4] x) => (float[8, 2] y) <float[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}>
    { y = MatMul (x, w) }
    """
    found = inspect_model(write_model(text))
    assert found.mac_count == 8
    assert found.operators[0].mac_count == 8
    assert found.activation_peak_bytes == (4 + 2) * 4


def test_unknown_shapes_count_as_nothing_and_are_remarked_on(write_model: WriteModel) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[N, T, 4] x) => (float[N, T, 2] y) <float[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}>
    { y = MatMul (x, w) }
    """
    found = inspect_model(write_model(text))
    assert found.mac_count == 0
    assert found.activation_peak_bytes == 0
    assert found.signature.inputs[0].shape == ("N", "T", 4)
    assert found.warnings[1:] == (
        "The axis `T` of input `x` is dynamic and must be pinned.",
        "Shapes are unknown around `MatMul`: their multiply-accumulates count as 0.",
        "No multiply-accumulates were counted: is this the whole model?",
        "2 tensors have no known shape, which counts as 0 in the memory of activations.",
    )


def test_absurd_shapes_are_refused(write_model: WriteModel) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 4611686018427387904, 4] x) => (float[N, 4611686018427387904, 4] y) { y = Relu (x) }
    """
    with pytest.raises(ModelFileError, match="the shapes are absurd") as caught:
        inspect_model(write_model(text))
    assert caught.value.where.endswith("model.onnx")


@pytest.mark.skipif(
    not KEYWORDS.exists(), reason="NOT CHECKED AGAINST A REAL MODEL: ../shared/data is absent"
)
def test_the_reference_keyword_spotter() -> None:
    found = inspect_model(KEYWORDS)
    # DS-CNN: 64 filters of 10 x 4, four blocks of 3 x 3 depthwise and 1 x 1, all on 25 x 5 places
    places, filters = 25 * 5, 64
    convolutions = places * filters * (10 * 4 + 4 * (9 + filters))
    assert found.operators[0] == operator("Conv", 9, convolutions)
    assert found.mac_count == convolutions + filters * 12 == 2_656_768
    assert found.activation_peak_bytes == 2 * places * filters * 4
    assert found.size_bytes == 104_955
    assert found.warnings == ()
