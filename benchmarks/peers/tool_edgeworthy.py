"""Our own recipes for the CPU at hand, by the names that `edgeworthy optimize` gives them.

Usage: ``python tool_edgeworthy.py MODEL SAMPLES.npz OUTPUT RECIPE``, the recipe ``static`` or
``dynamic`` for what suits the CPU at hand, ``static-r7`` or ``dynamic-r7`` for x86 without VNNI,
``cascade`` or ``cascade-r7`` for static ones that ask float on close calls, ``signed`` for Arm,
``cleaned``, ``weights`` or ``float16``
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeworthy.devices import host_fingerprint
from edgeworthy.files import digest_file
from edgeworthy.graph import load_model, model_signature
from edgeworthy.optimization import Refusal, make_variant, recipes_for
from edgeworthy.optimization.recipes import FLOAT16, INT8_WEIGHTS, cascade_recipe, dynamic_recipe
from edgeworthy.runtimes import fixed_batch_size
from edgeworthy.version import __version__

HERE = host_fingerprint(runtime_versions=()).instruction_set
RECIPES = {
    "cleaned": recipes_for([HERE])[0],
    "static": recipes_for([HERE])[1],
    "static-r7": recipes_for(["x86-avx2"])[1],
    "signed": recipes_for(["arm-dotprod"])[1],
    "cascade": cascade_recipe(recipes_for([HERE])[1]),
    "cascade-r7": cascade_recipe(recipes_for(["x86-avx2"])[1]),
    "weights": INT8_WEIGHTS,
    "float16": FLOAT16,
    "dynamic": dynamic_recipe(HERE),
    "dynamic-r7": dynamic_recipe("x86-avx2"),
}
BATCH = 8


def main(model: str, samples: str, output: str, setting: str) -> None:
    """Make the variant, report."""
    begun_s = time.process_time()
    with np.load(samples) as arrays:
        values = {name: arrays[name] for name in arrays.files}
    count = len(next(iter(values.values())))
    loaded = load_model(Path(model))
    size = fixed_batch_size(model_signature(loaded.proto)) or BATCH

    def batches() -> Iterator[dict[str, Any]]:
        for first in range(0, count, size):
            yield {name: array[first : first + size] for name, array in values.items()}

    made = make_variant(
        loaded,
        RECIPES[setting],
        calibration=batches,
        calibration_digest=digest_file(Path(samples)),
        seed=0,
    )
    if isinstance(made, Refusal):
        sys.exit(made.reason)
    Path(output).write_bytes(made.data)
    version = f"edgeworthy {__version__}"
    print(json.dumps({"seconds": time.process_time() - begun_s, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
