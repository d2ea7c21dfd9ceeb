"""AMD Quark's quantizer for ONNX, at the named configurations of its documentation.

Runs in an environment with amd-quark, torch (CPU), onnx and onnxruntime.

Usage: ``python tool_quark.py MODEL SAMPLES.npz OUTPUT SETTING``, the setting for example
``S8S8_AAWS``, ``U8S8_AAWS`` or ``A8W8``
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationDataReader  # type: ignore[import-untyped]
from quark.onnx import ModelQuantizer  # type: ignore[import-not-found,unused-ignore]
from quark.onnx.quantization.config import (  # type: ignore[import-not-found,unused-ignore]
    Config,
    get_default_config,
)


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


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Quantize, report."""
    begun_s = time.process_time()
    quantizer = ModelQuantizer(Config(global_quant_config=get_default_config(setting)))
    quantizer.quantize_model(model, output, Samples(Path(samples)))
    version = f"amd-quark {importlib.metadata.version('amd-quark')}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
