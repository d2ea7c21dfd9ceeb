"""The memory of a calibration does not grow with the number of samples."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

#: Weights of the model: three quarters of a large layer and change.
WEIGHTS_MEGABYTES = 24

SCRIPT = """
    import json, re, sys
    import numpy as np
    import onnx
    from edgeworthy.optimization.calibration import observe
    def peak():  # of this program; what getrusage says begins at the peak of its parent
        with open("/proc/self/status") as status:
            return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) // 1024
    model = onnx.load(sys.argv[1])
    shape = (16, *(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]))
    def samples(count):
        for seed in range(count):
            values = np.random.default_rng(seed).standard_normal(shape)
            yield {"x": values.astype(np.float32)}
    tensors = sys.argv[3].split()
    observe(model, samples(1), tensors)
    few = peak()
    observe(model, samples(int(sys.argv[2])), tensors)
    print(json.dumps([few, peak()]))
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A convolution with large activations, and a dense layer with large weights."""
    draw = np.random.default_rng(1).standard_normal
    weights = {"w": draw((48, 8, 3, 3)), "v": draw((48 * 4, 32 * 1024))}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[32, 32], strides=[32, 32]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("MatMul", ["f", "v"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", 1, ["n", 8, 64, 64])],
        [helper.make_tensor_value_info("y", 1, ["n", 32 * 1024])],
        [numpy_helper.from_array(each.astype(np.float32), name) for name, each in weights.items()],
    )
    path = tmp_path / "model.onnx"
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    assert path.stat().st_size > WEIGHTS_MEGABYTES * 1_000_000
    return path


@pytest.fixture
def deep_model(tmp_path: Path) -> Path:
    """Twenty convolutions, each with large activations, as the first half of a picture network."""
    kernel = np.random.default_rng(1).standard_normal((24, 1, 3, 3)).astype(np.float32)
    names = ["x", *(f"c{number}" for number in range(20))]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", [source, "w"], [result], pads=[1, 1, 1, 1], group=24)
            for source, result in pairwise(names)
        ],
        "net",
        [helper.make_tensor_value_info("x", 1, ["n", 24, 112, 112])],
        [helper.make_tensor_value_info("c19", 1, ["n", 24, 112, 112])],
        [numpy_helper.from_array(kernel / 3, "w")],
    )
    path = tmp_path / "deep.onnx"
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


def peaks(model: Path, tensors: str) -> tuple[int, int]:
    """Megabytes at the peak of a process that saw one batch, and then twelve."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(model), "12", tensors],
        capture_output=True,
        text=True,
        check=True,
    )
    few, many = json.loads(run.stdout)
    return few, many


def test_the_peak_is_bounded_and_the_same_for_more_samples(model: Path) -> None:
    few_megabytes, many_megabytes = peaks(model, "x c r y")
    activations_megabytes = 12 * 16 * (8 + 48 + 48) * 64 * 64 * 4 // 1_000_000
    assert activations_megabytes > 300  # what would be there if they were kept
    assert many_megabytes - few_megabytes < 120  # allocators keep some of what was freed
    assert many_megabytes < 2 * model.stat().st_size // 1_000_000 + 500


def test_a_deep_network_is_run_in_smaller_pieces(deep_model: Path) -> None:
    tensors = " ".join(["x", *(f"c{number}" for number in range(20))])
    few_megabytes, many_megabytes = peaks(deep_model, tensors)
    # A sample has 25 MB of activations, and a batch sixteen of them.
    assert many_megabytes - few_megabytes < 100  # allocators keep a few samples' worth
    assert many_megabytes < 400
