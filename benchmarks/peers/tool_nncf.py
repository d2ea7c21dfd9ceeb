"""Intel's NNCF on an ONNX graph: ``default`` or, as its authors advise for them, ``transformer``.

Runs in an environment with nncf, onnx and onnxruntime.

Usage: ``python tool_nncf.py MODEL SAMPLES.npz OUTPUT SETTING``
"""

from __future__ import annotations

import json
import sys
import time

import nncf  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import onnx


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Quantize, report."""
    with np.load(samples) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    count = len(next(iter(values.values())))
    rows = [{name: array[n : n + 1] for name, array in values.items()} for n in range(count)]
    begun_s = time.process_time()
    options = {"model_type": nncf.ModelType.TRANSFORMER} if setting == "transformer" else {}
    quantized = nncf.quantize(
        onnx.load(model),
        nncf.Dataset(rows),
        subset_size=count,
        preset=nncf.QuantizationPreset.MIXED,
        **options,
    )
    onnx.save(quantized, output)
    version = f"nncf {nncf.__version__}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
