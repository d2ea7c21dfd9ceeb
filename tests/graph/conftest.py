"""Models written as text, and what the tests of this room need to break them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper, parser

WriteModel = Callable[..., Path]

#: A convolution, a rectifier, pooling and a matrix product; the batch is free.
NETWORK = """
<ir_version: 8, opset_import: ["" : 17], producer_name: "test", producer_version: "1.0">
network (float[N, 3, 8, 8] image) => (float[N, 2] scores)
<float[2, 4] projection = {1, 2, 3, 4, 5, 6, 7, 8}, int64[2] flat = {0, -1}>
{
   kernel = Constant <value = float[4, 3, 3, 3] {KERNEL}> ()
   convolved = Conv <pads = [1, 1, 1, 1]> (image, kernel)
   rectified = Relu (convolved)
   pooled = GlobalAveragePool (rectified)
   row = Reshape (pooled, flat)
   columns = Transpose <perm = [1, 0]> (projection)
   scores = MatMul (row, columns)
}
""".replace("{KERNEL}", "{" + ", ".join(["0.5"] * 108) + "}")

#: One matrix product with one initializer.
LINEAR = """
<ir_version: 8, opset_import: ["" : 17]>
linear (float[N, 4] x) => (float[N, 2] y)
<float[4, 2] weight = {1, 2, 3, 4, 5, 6, 7, 8}>
{ y = MatMul (x, weight) }
"""


@pytest.fixture
def network() -> onnx.ModelProto:
    return parser.parse_model(NETWORK)


@pytest.fixture
def linear() -> onnx.ModelProto:
    """``y = x @ weight`` with the initializer ``weight (4, 2)`` as raw data."""
    model = parser.parse_model(LINEAR)
    values = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "weight"))
    return model


@pytest.fixture
def write_model(tmp_path: Path) -> WriteModel:
    """Write a model, given as text or as a message, and give its path."""

    def write(model: str | onnx.ModelProto, name: str = "model.onnx") -> Path:
        message = parser.parse_model(model) if isinstance(model, str) else model
        path = tmp_path / name
        path.write_bytes(message.SerializeToString())
        return path

    return write


@pytest.fixture
def make_external() -> Callable[..., None]:
    """Move the first initializer of a model out: only the reference is written, not the file."""

    def move(model: onnx.ModelProto, **entries: str) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)

    return move
