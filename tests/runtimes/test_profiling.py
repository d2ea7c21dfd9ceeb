from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import InferenceError
from edgeworthy.runtimes import NodeProfile, Runtime, Session, find_runtime

PIXELS: dict[str, NDArray[Any]] = {"x": np.zeros((1, 3, 8, 8), dtype=np.float32)}


def network(path: Path, *, named: bool) -> Path:
    """Convolution, ReLU, pooling and a product."""
    generator = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    for index, node in enumerate(nodes):
        node.name = f"node{index}" if named else ""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 5])],
        [
            numpy_helper.from_array(
                generator.standard_normal((4, 3, 3, 3)).astype(np.float32), "kernel"
            ),
            numpy_helper.from_array(generator.standard_normal((4, 5)).astype(np.float32), "w"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def by_operator(nodes: tuple[NodeProfile, ...] | None) -> dict[str, NodeProfile]:
    assert nodes is not None
    return {node.op_type: node for node in nodes}


@pytest.mark.parametrize("named", [True, False])
def test_every_node_has_times_arithmetic_and_bytes(tmp_path: Path, *, named: bool) -> None:
    model = network(tmp_path / "network.onnx", named=named)
    found = by_operator(find_runtime("onnxruntime").profile(model, PIXELS, run_count=7))
    product = found["MatMul"]
    assert len(product.times_us) == 7
    # Four features times five scores; 4 + 20 + 5 values of four bytes.
    assert (product.mac_count, product.moved_bytes, product.input_type) == (20, 116, "float32")
    convolution = found["Conv"]
    assert convolution.mac_count is not None
    # 8 by 8 pixels, 4 channels, 27 weights; engines may fill channels up.
    assert convolution.mac_count >= 64 * 4 * 27
    assert found["GlobalAveragePool"].mac_count == 0
    assert all(each >= 0 for node in found.values() for each in node.times_us)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["network.onnx"]


def test_eight_bit_nodes_are_known_by_their_input(tmp_path: Path) -> None:
    scale = numpy_helper.from_array(np.array(0.1, dtype=np.float32), "scale")
    zero = numpy_helper.from_array(np.array(0, dtype=np.uint8), "zero")
    weights = numpy_helper.from_array(np.ones((6, 2), dtype=np.uint8), "w")
    names = ["x", "scale", "zero", "w", "scale", "zero", "scale", "zero"]
    graph = helper.make_graph(
        [helper.make_node("QLinearMatMul", names, ["y"], name="product")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [3, 6])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [3, 2])],
        [scale, zero, weights],
    )
    path = tmp_path / "model.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    inputs: dict[str, NDArray[Any]] = {"x": np.zeros((3, 6), dtype=np.uint8)}
    found = by_operator(find_runtime("onnxruntime").profile(path, inputs, run_count=3))
    assert (found["QLinearMatMul"].input_type, found["QLinearMatMul"].mac_count) == ("uint8", 36)


def test_wrong_inputs_are_said_as_everywhere(tmp_path: Path) -> None:
    model = network(tmp_path / "network.onnx", named=True)
    with pytest.raises(InferenceError, match="wrong inputs"):
        find_runtime("onnxruntime").profile(model, {})


def test_what_the_profiler_refuses_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> Callable[[], None]:
        raise RuntimeError("no space")

    monkeypatch.setattr("edgeworthy.runtimes.onnxruntime_profile.profile_nodes", fail)
    with pytest.raises(InferenceError, match="cannot profile this model: no space"):
        find_runtime("onnxruntime").profile(network(tmp_path / "m.onnx", named=True), PIXELS)


class Plain(Runtime):
    """An engine without a profiler."""

    name = "plain"

    def version(self) -> str:
        return "plain 1"

    def load(self, artifact: Path, *, threads: int = 1) -> Session:
        raise InferenceError(f"{artifact} {threads} {ModelSignature}")


def test_an_engine_without_a_profiler_says_nothing(tmp_path: Path) -> None:
    assert Plain().profile(tmp_path, PIXELS) is None
