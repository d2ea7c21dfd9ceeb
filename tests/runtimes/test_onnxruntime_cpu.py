"""What is peculiar to ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgeworthy.errors import InferenceError, ModelFileError
from edgeworthy.runtimes import find_runtime, run_batched
from edgeworthy.runtimes.onnxruntime_cpu import check_providers

WriteModel = Callable[..., Path]
KEYWORDS = Path(__file__).parents[2] / "../shared/data/mlperf-tiny-kws"


def test_the_cpu_alone_is_accepted() -> None:
    check_providers(["CPUExecutionProvider"], where="model.onnx")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "found CUDAExecutionProvider, CPU"),
        (["AzureExecutionProvider"], "found AzureExecutionProvider"),
        ([], "found no provider"),
    ],
)
def test_any_other_provider_is_a_failure(found: list[str], words: str) -> None:
    with pytest.raises(InferenceError, match=words):
        check_providers(found, where="model.onnx")


def test_an_operator_without_a_kernel_is_the_engines_failure(write_model: WriteModel) -> None:
    # valid ONNX, but the CPU has no rounding of bfloat16
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 22]> g (bfloat16[n, 2] x) => (bfloat16[n, 2] y)'
        "{ y = Round (x) }"
    )
    with pytest.raises(InferenceError, match="ONNX Runtime cannot run this model"):
        find_runtime("onnxruntime").load(path)


def test_an_unknown_operator_is_the_files_fault(write_model: WriteModel) -> None:
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17, "maker" : 1]>'
        "g (float[n, 2] x) => (float[n, 2] y) { y = maker.Magic (x) }"
    )
    with pytest.raises(ModelFileError, match=r"cannot load the model: .*Magic"):
        find_runtime("onnxruntime").load(path)


def test_external_data_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(np.ones(4, np.float32).tobytes())
    weight = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT)
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret.bin")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError):
        find_runtime("onnxruntime").load(folder / "model.onnx")


def test_a_sound_model_runs_without_a_word(linear: Path) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from edgeworthy.runtimes import find_runtime, random_inputs\n"
        "session = find_runtime('onnxruntime').load(Path(sys.argv[1]))\n"
        "session.run(random_inputs(session.signature, batch=2, generator=np.random.default_rng(0)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(linear)], check=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.fixture(scope="module")
def keywords() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    if not KEYWORDS.exists():
        pytest.skip("NOT CHECKED AGAINST A REAL MODEL: ../shared/data is absent")
    with np.load(KEYWORDS / "kws01_samples.npz") as stored:
        values = (stored["x_int8"].astype(np.float32) - 83) * np.float32(0.5847029089927673)
        return values, stored["y"].astype(np.int64)


def test_the_reference_keyword_spotter_has_its_accuracy(
    keywords: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    values, labels = keywords
    with find_runtime("onnxruntime").load(KEYWORDS / "kws_fp32.onnx") as session:
        scores = run_batched(session, {"input": values})["probabilities"]
    correct = scores.argmax(axis=1) == labels
    assert (correct.sum(), correct[:500].mean(), correct[500:].mean()) == (913, 0.912, 0.914)


def test_a_real_model_with_a_fixed_batch_agrees_with_the_free_one(
    keywords: tuple[NDArray[np.float32], NDArray[np.int64]], tmp_path: Path
) -> None:
    values = keywords[0][:70]
    model = onnx.load(KEYWORDS / "kws_fp32.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 32
    fixed = tmp_path / "fixed.onnx"
    fixed.write_bytes(model.SerializeToString())
    engine = find_runtime("onnxruntime")
    with engine.load(KEYWORDS / "kws_fp32.onnx") as free, engine.load(fixed) as padded:
        whole = run_batched(free, {"input": values})["probabilities"]
        pieces = run_batched(padded, {"input": values})["probabilities"]
    assert pieces.shape == (70, 12)
    assert np.allclose(whole, pieces, atol=1e-6)
