"""Run a graph in memory, exactly as it is written.

Rules:

1. The engine rewrites nothing unless asked, so that two graphs are compared and not two results
   of the engine's own optimizer.
2. One thread: the same inputs give the same bits.
3. What the engine raises comes out as :class:`InferenceError`; it prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as engine  # type: ignore[import-untyped]  # it ships no types

from edgeworthy.errors import InferenceError
from edgeworthy.optimization.wiring import model_bytes
from edgeworthy.runtimes.base import Tensors

#: Everything that onnxruntime raises; its classes share no base of their own.
ENGINE_ERRORS: tuple[type[Exception], ...] = (
    engine.EPFail,
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NotImplemented,
    engine.RuntimeException,
    RuntimeError,
    TypeError,
    ValueError,
)
_FATAL_ONLY = 4


class Executor:
    """A graph, loaded once and run on many batches.

    Args:
        model: The graph, or its bytes; below 2 GB.
        optimized: Let the engine rewrite it as it does on a device.

    Raises:
        InferenceError: The engine cannot load the graph.
    """

    def __init__(self, model: onnx.ModelProto | bytes, *, optimized: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        if not optimized:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = onnxruntime.InferenceSession(
                model if isinstance(model, bytes) else model_bytes(model),
                options,
                providers=["CPUExecutionProvider"],
            )
        except ENGINE_ERRORS as error:
            raise InferenceError(
                f"onnxruntime cannot load this graph: {_first_line(error)}",
                next_step="Export the model with standard ONNX operators only",
            ) from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def output_types(self) -> dict[str, str]:
        """The type of each output in the engine's words, for example ``tensor(float)``."""
        return {output.name: output.type for output in self._session.get_outputs()}

    def run(self, inputs: Tensors, outputs: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
        """Run one batch.

        Args:
            inputs: Every input, shape ``(n, ...)``.
            outputs: Which outputs to give; all when empty.

        Raises:
            InferenceError: The engine refused the inputs or failed.
        """
        names = list(outputs) or self._outputs
        try:
            values = self._session.run(names, dict(inputs))
        except ENGINE_ERRORS as error:
            raise InferenceError(f"onnxruntime failed: {_first_line(error)}") from error
        return dict(zip(names, values, strict=True))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
