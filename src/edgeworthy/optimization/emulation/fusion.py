"""The graph as the engine rewrites it when it loads a file on a class of CPU.

Rules:

1. The engine itself rewrites; nothing is guessed. It is told what it would find out on the CPU:
   whether signed activations stay signed.
2. Only rewrites that do not depend on the CPU's caches and registers are asked for.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types

from edgeworthy.errors import InferenceError
from edgeworthy.optimization.emulation.arithmetic import Arithmetic
from edgeworthy.optimization.execution import ENGINE_ERRORS

_FATAL_ONLY = 4
_SIGNED_ACTIVATIONS = "session.qdqisint8allowed"


def fused(data: bytes, arithmetic: Arithmetic) -> onnx.ModelProto:
    """The rewritten graph.

    Args:
        data: A model file.
        arithmetic: Of the class of CPU.

    Raises:
        InferenceError: The engine cannot load the file.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = _FATAL_ONLY
    signed = "1" if arithmetic.keeps_signed_activations else "0"
    options.add_session_config_entry(_SIGNED_ACTIVATIONS, signed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options.optimized_model_filepath = str(path)
        try:
            onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except ENGINE_ERRORS as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise InferenceError(f"onnxruntime cannot load this graph: {lines[0]}") from error
        return onnx.load(path)
