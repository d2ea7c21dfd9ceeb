"""Files whose nodes quantize by the range of the whole batch are judged one sample at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeworthy.graph import samples_at_a_time
from edgeworthy.runtimes import find_runtime, run_batched

HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
DYNAMIC = """g (float[n,2] x) => (float[n,2] y) {
    q, s, z = DynamicQuantizeLinear (x)
    y = DequantizeLinear (q, s, z)
}"""
FIXED = "g (float[n,2] x) => (float[n,2] y) { y = Relu (x) }"


def saved(path: Path, text: str) -> Path:
    onnx.save(onnx.parser.parse_model(HEADER + text), path)
    return path


def test_only_dynamic_files_are(tmp_path: Path) -> None:
    assert samples_at_a_time(saved(tmp_path / "dynamic.onnx", DYNAMIC)) == 1
    assert samples_at_a_time(saved(tmp_path / "fixed.onnx", FIXED)) is None
    for name in ("model.tflite", "broken.onnx"):
        (tmp_path / name).write_bytes(b"\xff\xff no model")
        assert samples_at_a_time(tmp_path / name) is None
    assert samples_at_a_time(tmp_path / "gone.onnx") is None


@pytest.mark.parametrize(("at_a_time", "kept"), [(1, True), (None, False)])
def test_a_quiet_sample_keeps_its_steps(
    tmp_path: Path, *, at_a_time: int | None, kept: bool
) -> None:
    path = saved(tmp_path / "dynamic.onnx", DYNAMIC)
    x = np.array([[0.001, 0.002], [1000.0, -1000.0]], np.float32)
    with find_runtime("onnxruntime").load(path) as session:
        found = run_batched(session, {"x": x}, at_a_time=at_a_time)["y"]
    assert bool(np.abs(found[0] - x[0]).max() < 1e-4) is kept
