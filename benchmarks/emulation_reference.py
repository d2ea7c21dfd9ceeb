"""What ONNX Runtime gives on other classes of CPU: reference data for the tests of the emulation.

Two kinds of graphs. One small network with every kind of integer product that we emulate is
quantized with ONNX Runtime's own quantizer into five pairs of data types and run on eight generated
inputs: on a CPU with AVX2 and without VNNI the outputs hold what ``VPMADDUBSW`` does. And single
operators over bytes near the lowest, in the shapes that decide which kernel the engine takes: on
Arm their outputs hold what wraps in 16 bits.

    cd benchmarks
    python emulation_reference.py models /tmp/reference
    qemu-x86_64-static -cpu Haswell PYTHON emulated_run.py /tmp/reference x86-avx2
    qemu-aarch64-static -cpu cortex-a72 ... emulated_run.py /tmp/reference arm-neon
    qemu-aarch64-static -cpu neoverse-n1 ... emulated_run.py /tmp/reference arm-dotprod
    python emulation_reference.py pack /tmp/reference ../tests/optimization/emulation/reference.npz

``docs/benchmarks/processors.md`` tells how to get an Arm Python. The committed file was made with
QEMU 7.2.22 and ONNX Runtime 1.32.0 on 2026-11-27.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from byte_operators import reference_operators
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
    """The network in every pair of data types, and the single operators."""

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # of an untyped library
        def __init__(self) -> None:
            self.rows = iter([{"x": samples()}])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.rows, None)

    types = {"u": QuantType.QUInt8, "s": QuantType.QInt8}
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "float.onnx"
        onnx.save(float_model(), source)
        for name in PAIRS:
            (folder / name).mkdir(parents=True, exist_ok=True)
            np.savez(folder / name / "inputs.npz", x=samples())
            quantize_static(
                source,
                folder / name / "model.onnx",
                Reader(),
                activation_type=types[name[0]],
                weight_type=types[name[2]],
                per_channel=not name.endswith("per-tensor"),
                reduce_range=name.endswith("r7"),
            )
    operator_models(folder)


def operator_models(folder: Path) -> None:
    """Single operators, most of their bytes the lowest or the highest."""
    for operator in reference_operators():
        case = folder / operator.name
        case.mkdir(parents=True, exist_ok=True)
        onnx.save(operator.model, case / "model.onnx")
        np.savez(case / "inputs.npz", **operator.inputs)


def pack(folder: Path, target: Path) -> None:
    """Models, inputs and what each class gave, in one file."""
    parts: dict[str, Any] = {}
    for case in sorted(path.parent for path in folder.glob("*/model.onnx")):
        parts[f"{case.name}:model"] = np.frombuffer((case / "model.onnx").read_bytes(), np.uint8)
        with np.load(case / "inputs.npz") as inputs:
            parts[f"{case.name}:x"] = inputs["x"]
        for found in sorted(case.glob("outputs-*.npz")):
            name = found.stem.removeprefix("outputs-")
            with np.load(found) as outputs:
                # One sample at a time was run: the batch of one goes.
                parts |= {f"{case.name}:{name}:{key}": outputs[key][:, 0] for key in outputs}
    np.savez_compressed(target, **parts)


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {"models": make_models, "pack": pack}
    commands[command](*map(Path, paths))
