"""Models on disk and the engines that run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import parser

from edgeworthy.errors import MissingExtraError
from edgeworthy.runtimes import Runtime, find_runtime, runtime_names
from tflite_models import linear_tflite

WriteModel = Callable[..., Path]

#: ``y = x @ w + b`` and, as a second output, ``doubled = x + x``.
LINEAR = """
<ir_version: 8, opset_import: ["" : 17]>
linear (float[{batch}, 2] x, float[{batch}, 3] b)
    => (float[{batch}, 3] y, float[{batch}, 2] doubled)
<float[2, 3] w = {{1, 2, 3, 4, 5, 6}}>
{{ product = MatMul (x, w) y = Add (product, b) doubled = Add (x, x) }}
"""


@pytest.fixture
def write_model(tmp_path: Path) -> WriteModel:
    def write(text: str, name: str = "model.onnx") -> Path:
        path = tmp_path / name
        path.write_bytes(parser.parse_model(text).SerializeToString())
        return path

    return write


@pytest.fixture
def linear(request: pytest.FixtureRequest, write_model: WriteModel, tmp_path: Path) -> Path:
    """Free batch, in the format of the engine."""
    if "runtime" in request.fixturenames:
        engine: Runtime = request.getfixturevalue("runtime")
        if ".tflite" in engine.formats:
            path = tmp_path / "model.tflite"
            path.write_bytes(linear_tflite())
            return path
    return write_model(LINEAR.format(batch="n"))


@pytest.fixture
def linear_of_four(write_model: WriteModel) -> Path:
    """The same with a batch of exactly 4."""
    return write_model(LINEAR.format(batch="4"), "four.onnx")


@pytest.fixture(params=runtime_names())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """Each engine in turn; one that is optional and absent is skipped, and says so."""
    try:
        return find_runtime(request.param)
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture
def onnx_runtime(runtime: Runtime) -> Runtime:
    """Each engine that reads ONNX."""
    if ".onnx" not in runtime.formats:
        pytest.skip(f"{runtime.name} does not read ONNX; its own format has tests of its own")
    return runtime
