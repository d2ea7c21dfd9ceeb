"""The engines by name.

Rules:

1. An engine is imported when it is asked for, not before: its library is large.
2. A new engine is one module with a function ``create`` and one line here; the laws in
   ``tests/runtimes/test_runtime_laws.py`` then apply to it.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from pathlib import Path

from edgeworthy.errors import UsageError
from edgeworthy.runtimes.base import Runtime

_MODULES = {
    "litert": "edgeworthy.runtimes.litert_cpu",
    "onnxruntime": "edgeworthy.runtimes.onnxruntime_cpu",
    "openvino": "edgeworthy.runtimes.openvino_cpu",
}
#: The engine that reads a kind of file when nobody names one.
_USUAL = {".tflite": "litert"}


def runtime_names() -> tuple[str, ...]:
    """Names of all engines, sorted.

    >>> runtime_names()
    ('litert', 'onnxruntime', 'openvino')
    """
    return tuple(sorted(_MODULES))


def find_runtime(name: str) -> Runtime:
    """The engine of a name.

    Raises:
        UsageError: There is none; names the nearest.
        MissingExtraError: It is optional and not installed.
    """
    module = _MODULES.get(name)
    if module is None:
        near = difflib.get_close_matches(name, _MODULES, n=1, cutoff=0.4)
        raise UsageError(
            f"no runtime is called `{name}`",
            expected=f"one of {', '.join(f'`{known}`' for known in runtime_names())}",
            next_step=f"Write `{near[0]}`" if near else "Write one of these names",
        )
    create: Callable[[], Runtime] = importlib.import_module(module).create
    return create()


def usual_runtime(artifact: Path) -> str:
    """The engine that reads a file when nobody names one.

    >>> usual_runtime(Path("model.onnx")), usual_runtime(Path("model.tflite"))
    ('onnxruntime', 'litert')
    """
    return _USUAL.get(artifact.suffix.lower(), "onnxruntime")
