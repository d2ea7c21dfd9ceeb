"""ONNX Runtime's own quantizer, at its defaults and at its best documented flags.

Runs in an environment with onnxruntime, onnx and sympy alone. The flags follow the quantizer's own
documentation: U8S8 on x86 with VNNI, without it with a reduced range, or U8U8; per channel;
percentile.

Usage: ``python tool_onnxruntime.py MODEL SAMPLES.npz OUTPUT SETTING``
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]

PER_CHANNEL_OPSET = 13
_U8S8: dict[str, Any] = {
    "activation_type": QuantType.QUInt8,
    "weight_type": QuantType.QInt8,
    "per_channel": True,
    "reduce_range": True,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "u8s8": {**_U8S8, "reduce_range": False},
    "u8s8-r7": _U8S8,
    "u8s8-r7-percentile": {**_U8S8, "calibrate_method": CalibrationMethod.Percentile},
    "u8u8": {**_U8S8, "weight_type": QuantType.QUInt8, "reduce_range": False},
}


class Samples(CalibrationDataReader):  # type: ignore[misc]
    """One sample at a time."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}
        self.position = 0

    def get_next(self) -> dict[str, Any] | None:
        """The next sample, a batch of one."""
        row = slice(self.position, self.position + 1)
        self.position += 1
        sample = {name: values[row] for name, values in self.arrays.items()}
        return sample if len(next(iter(sample.values()))) else None


def prepare(model: str, prepared: Path) -> None:
    """Prepare as the documentation says, without symbolic shapes where their inference fails."""
    try:
        quant_pre_process(model, prepared)
    except Exception:  # noqa: BLE001 - whatever it raises, its own flag is the remedy
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
    raise_opset(prepared)


def raise_opset(prepared: Path) -> None:
    """Scales per channel need a newer operator set; older models do not load afterwards."""
    read = onnx.load(prepared)
    version = max(each.version for each in read.opset_import if not each.domain)
    if version < PER_CHANNEL_OPSET:
        onnx.save(onnx.version_converter.convert_version(read, PER_CHANNEL_OPSET), prepared)


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Prepare, quantize, report."""
    begun_s = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        prepare(model, prepared)
        if setting.startswith("dynamic"):
            reduced = setting == "dynamic-r7"
            quantize_dynamic(prepared, output, per_channel=True, reduce_range=reduced)
        else:
            quantize_static(prepared, output, Samples(Path(samples)), **SETTINGS[setting])
    version = f"onnxruntime {onnxruntime.__version__}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
