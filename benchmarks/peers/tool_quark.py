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

from onnxruntime.quantization import CalibrationDataReader  # type: ignore[import-untyped]
from quark.onnx import ModelQuantizer  # type: ignore[import-not-found,unused-ignore]
from quark.onnx.quantization.config import (  # type: ignore[import-not-found,unused-ignore]
    Config,
    get_default_config,
)

from tool_onnxruntime import Samples  # isort: skip  # the scripts lie in one folder

assert issubclass(Samples, CalibrationDataReader)  # noqa: S101 - Quark takes the same reader


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Quantize, report."""
    begun_s = time.process_time()
    quantizer = ModelQuantizer(Config(global_quant_config=get_default_config(setting)))
    quantizer.quantize_model(model, output, Samples(Path(samples)))
    version = f"amd-quark {importlib.metadata.version('amd-quark')}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
