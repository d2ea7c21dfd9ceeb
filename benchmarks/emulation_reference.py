"""What ONNX Runtime gives on a CPU without VNNI: reference data for the tests of the emulation.

Method: a small graph with every kind of integer product that we emulate is quantized with ONNX
Runtime's own quantizer into five pairs of data types, and run on eight generated inputs. On a CPU
with AVX2 and without VNNI, or in QEMU that plays one, the outputs hold what ``VPMADDUBSW`` does.

    cd benchmarks
    python emulation_reference.py models /tmp/reference
    qemu-x86_64 -cpu Haswell ../.venv/bin/python emulation_reference.py run /tmp/reference
    python emulation_reference.py pack /tmp/reference ../tests/optimization/emulation/x86_avx2.npz

QEMU 7.2 or newer (Debian: qemu-user). The committed file was made with QEMU 7.2 as Haswell and ONNX
Runtime 1.32.0 on 2026-11-23.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import (  # type: ignore[import-untyped]  # it ships no types
    CalibrationDataReader,
    QuantType,
    quantize_static,
)

SEED = 11
PAIRS = ("u8s8", "u8s8-r7", "s8s8", "u8u8", "u8s8-per-tensor")
TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
net (float[batch,3,9,11] x) => (float[batch,9] y, float[batch,12,2] m) {
  c1 = Conv <pads=[1,1,1,1], strides=[2,1]> (x, w1, b1)
  r1 = Relu (c1)
  c2 = Conv <pads=[1,1,1,1], group=10> (r1, w2, b2)
  r2 = Relu (c2)
  c3 = Conv <pads=[2,0,2,0], group=2, dilations=[2,1]> (r2, w3, b3)
  r3 = Relu (c3)
  c4 = Conv <group=12, auto_pad="SAME_UPPER", strides=[2,2]> (r3, w4)
  r4 = Relu (c4)
  c5 = Conv (r4, w5, b5)
  r4p = Conv (r4, w6)
  a5 = Add (c5, r4p)
  r5 = Relu (a5)
  s = Reshape (r5, shape)
  m = MatMul (s, w7)
  p = GlobalAveragePool (r5)
  f = Flatten (p)
  g = Gemm <transB=1> (f, w8, b8)
  h = Relu (g)
  y = Gemm (h, w9, b9)
}
"""
SHAPES = {
    "w1": (10, 3, 3, 3),
    "b1": (10,),
    "w2": (10, 1, 3, 3),
    "b2": (10,),
    "w3": (12, 5, 3, 2),
    "b3": (12,),
    "w4": (24, 1, 3, 3),
    "w5": (12, 24, 1, 1),
    "b5": (12,),
    "w6": (12, 24, 1, 1),
    "w8": (16, 12),
    "b8": (16,),
    "w9": (16, 9),
    "b9": (9,),
}


def float_model() -> onnx.ModelProto:
    """A graph with all kinds of convolutions and products, weights far from zero."""
    generator = np.random.default_rng(SEED)
    model = onnx.parser.parse_model(TEXT)
    shapes = {**SHAPES, "w7": (15, 2)}
    for name, shape in shapes.items():
        values = generator.uniform(-1.0, 1.0, shape)
        # Large weights of equal sign beside each other, so that much saturates.
        values = np.sign(values) * np.abs(values) ** 0.3 + (0.2 if name.startswith("w") else 0.0)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    target = np.array([0, 12, -1], dtype=np.int64)
    model.graph.initializer.append(numpy_helper.from_array(target, "shape"))
    onnx.checker.check_model(model)
    return model


def samples() -> NDArray[np.float32]:
    """Eight inputs ``(8, 3, 9, 11)``."""
    return np.random.default_rng(SEED + 1).uniform(-0.3, 1.0, (8, 3, 9, 11)).astype(np.float32)


def make_models(folder: Path) -> None:
    """Quantize into every pair of data types."""

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # of an untyped library
        def __init__(self) -> None:
            self.rows = iter([{"x": samples()}])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.rows, None)

    types = {"u": QuantType.QUInt8, "s": QuantType.QInt8}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "float.onnx"
        onnx.save(float_model(), source)
        for name in PAIRS:
            quantize_static(
                source,
                folder / f"{name}.onnx",
                Reader(),
                activation_type=types[name[0]],
                weight_type=types[name[2]],
                per_channel=not name.endswith("per-tensor"),
                reduce_range=name.endswith("r7"),
            )


def run_models(folder: Path) -> None:
    """Run every model on the CPU at hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for name in PAIRS:
        path = folder / f"{name}.onnx"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        y, m = session.run(["y", "m"], {"x": samples()})
        np.savez(folder / f"{name}.outputs.npz", y=y, m=m)


def pack(folder: Path, target: Path) -> None:
    """Models and outputs in one file."""
    parts: dict[str, Any] = {}
    for name in PAIRS:
        parts[f"{name}:model"] = np.frombuffer((folder / f"{name}.onnx").read_bytes(), np.uint8)
        with np.load(folder / f"{name}.outputs.npz") as outputs:
            parts |= {f"{name}:{key}": outputs[key] for key in ("y", "m")}
    np.savez_compressed(target, x=samples(), **parts)


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "models": make_models,
        "run": run_models,
        "pack": pack,
    }
    commands[command](*map(Path, paths))
