"""Qualcomm's AIMET for ONNX: its simulation, and the QDQ file that it exports.

Runs in an environment with aimet-onnx and torch (CPU). Batch normalizations are folded and layers
equalized as its guide says, then ranges are found; the file is what ``to_onnx_qdq`` gives.

Usage: ``python tool_aimet.py MODEL SAMPLES.npz OUTPUT SETTING``, the setting ``min_max`` or ``cle``
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import time

import aimet_onnx  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import onnx


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Quantize, report."""
    with np.load(samples) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    count = len(next(iter(values.values())))
    rows = [{name: array[n : n + 1] for name, array in values.items()} for n in range(count)]
    begun_s = time.process_time()
    loaded = onnx.load(model)
    if setting == "cle":
        equalization = importlib.import_module("aimet_onnx.cross_layer_equalization")
        equalization.equalize_model(loaded)
    simulation = aimet_onnx.QuantizationSimModel(loaded, param_type="int8", activation_type="int8")
    simulation.compute_encodings(rows)
    onnx.save(simulation.to_onnx_qdq(), output)
    version = f"aimet-onnx {importlib.metadata.version('aimet-onnx')}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
