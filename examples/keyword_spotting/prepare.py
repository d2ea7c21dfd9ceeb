"""Make a project folder of MLPerf Tiny's keyword spotter and its 1,000 samples.

Two projects judge the same model crosswise: one calibrates on the first 500 samples and is
evaluated on the last 500, the other the other way round.

Needed: a folder with ``kws_fp32.onnx`` and ``kws01_samples.npz`` (README.md tells what they are).
Source: MLCommons tiny (Apache-2.0); sound features of Speech Commands v2 (CC BY 4.0).

How to run it::

    python examples/keyword_spotting/prepare.py FOLDER my-keywords

Rules:

1. No sample is lost, and none changes its half.
2. Five samples stand in both halves, value for value. Within its half each of them moves to the
   middle of the file, so that a range of rows can calibrate on one half without them.
3. The model is copied byte for byte.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL = "kws_fp32.onnx"
SAMPLES = "kws01_samples.npz"
PROJECT_FILES = ("calibrate-first-half.toml", "calibrate-second-half.toml")
HALF_COUNT = 500
# Words in the order of the model's output.
LABELS = (
    "down",
    "go",
    "left",
    "no",
    "off",
    "on",
    "right",
    "stop",
    "up",
    "yes",
    "silence",
    "unknown",
)


def order_samples(features: NDArray[Any]) -> NDArray[np.int64]:
    """Give the order of rows that rule 2 asks for.

    Args:
        features: ``(1000, ...)``, in their original order.

    Returns:
        ``(1000,)`` row numbers: first half, its shared samples last; second half, its shared
        samples first.
    """
    keys = [row.tobytes() for row in features]
    first, second = set(keys[:HALF_COUNT]), set(keys[HALF_COUNT:])
    shared = np.array([key in first and key in second for key in keys])
    rows = np.arange(len(keys), dtype=np.int64)
    in_first = rows < HALF_COUNT
    return np.concatenate(
        [
            rows[in_first & ~shared],
            rows[in_first & shared],
            rows[~in_first & shared],
            rows[~in_first & ~shared],
        ]
    )


def prepare(source: Path, folder: Path) -> None:
    """Write the project folder."""
    with np.load(source / SAMPLES, allow_pickle=False) as arrays:
        features, labels = arrays["x_int8"], arrays["y"].astype(np.int64)
    order = order_samples(features)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "keywords.npz",
        features=features[order],
        labels=labels[order],
        word=np.array(LABELS)[labels[order]],
        source_index=order,
    )
    shutil.copyfile(source / MODEL, folder / "model.onnx")
    for name in PROJECT_FILES:
        shutil.copyfile(Path(__file__).parent / name, folder / name)


def main() -> None:
    """Prepare, and say what to do next."""
    parser = argparse.ArgumentParser(description="Make a project of MLPerf Tiny's keyword spotter.")
    parser.add_argument("source", type=Path, help=f"folder with {MODEL} and {SAMPLES}")
    parser.add_argument("folder", type=Path, help="where the project goes")
    arguments = parser.parse_args()
    prepare(arguments.source, arguments.folder)
    for name in PROJECT_FILES:
        print(f"edgeworthy build --project {arguments.folder / name}")


if __name__ == "__main__":
    main()
