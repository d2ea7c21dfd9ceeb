"""Answer every case of a folder with ONNX Runtime, on whatever processor this Python finds itself.

The half of ``emulated_processors.py`` that runs under an emulator: it needs numpy and ONNX Runtime
and nothing of ours. A case is a folder with ``model.onnx`` and ``inputs.npz``; its answers go to
``outputs-NAME.npz``, so that a run which was stopped goes on where it was.

    python emulated_run.py CASES NAME [PATTERN]
"""

from __future__ import annotations

import ctypes
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it ships no types

_AT_HWCAP, _AT_HWCAP2 = 16, 26
_DOT_PRODUCT, _MATRIX_INT8 = 1 << 20, 1 << 13


def processor() -> dict[str, Any]:
    """What the emulator shows its guest."""
    found: dict[str, Any] = {
        "architecture": platform.machine(),
        "engine": f"onnxruntime {onnxruntime.__version__}",
        "numpy": np.__version__,
    }
    if found["architecture"] == "aarch64":
        ask = ctypes.CDLL(None).getauxval
        ask.argtypes, ask.restype = [ctypes.c_ulong], ctypes.c_ulong
        found["asimddp"] = bool(ask(_AT_HWCAP) & _DOT_PRODUCT)
        found["i8mm"] = bool(ask(_AT_HWCAP2) & _MATRIX_INT8)
    return found


def answers(case: Path) -> dict[str, Any]:
    """All outputs, one sample after the other as on a device, joined."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        case / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    with np.load(case / "inputs.npz") as archive:
        inputs = dict(archive)
    count = len(next(iter(inputs.values())))
    rows = ({name: v[n : n + 1] for name, v in inputs.items()} for n in range(count))
    found = [session.run(names, row) for row in rows]
    return {name: np.stack([row[index] for row in found]) for index, name in enumerate(names)}


def main() -> None:
    """Answer the cases that have no answers of this name yet."""
    folder, name, pattern, *_ = Path(sys.argv[1]), *sys.argv[2:], "*"
    (folder / f"processor-{name}.json").write_text(json.dumps(processor()), encoding="utf-8")
    for case in sorted(path.parent for path in folder.glob(f"{pattern}/model.onnx")):
        target = case / f"outputs-{name}.npz"
        if target.exists():
            continue
        began = time.monotonic()
        unfinished = case / f"unfinished-{name}.npz"
        np.savez_compressed(unfinished, **answers(case))
        unfinished.replace(target)
        print(f"{case.name}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
