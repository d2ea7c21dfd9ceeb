"""Run a graph in memory, exactly as it is written.

Rules:

1. The engine rewrites nothing unless asked, so that two graphs are compared and not two results
   of the engine's own optimizer.
2. One thread: the same inputs give the same bits.
3. What the engine raises comes out as :class:`InferenceError`; it prints nothing.
4. Large weights are handed over beside the graph: writing them into it would take longer than most
   runs.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as engine  # type: ignore[import-untyped]  # it ships no types

from edgeworthy.errors import InferenceError
from edgeworthy.graph.shapes import without_constants
from edgeworthy.graph.tensors import element_count, is_external
from edgeworthy.optimization.wiring import model_bytes, names_read
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
#: Constants of at least as many numbers are handed over beside the graph.
_LARGE = 1 << 16
_HANDED_OVER = frozenset({TensorProto.FLOAT, TensorProto.INT8, TensorProto.UINT8})


class Executor:
    """A graph, loaded once and run on many batches.

    Args:
        model: The graph, or its bytes; below 2 GB.
        optimized: Let the engine rewrite it as it does on a device.

    Raises:
        InferenceError: The engine cannot load the graph.
    """

    def __init__(self, model: ModelProto | bytes, *, optimized: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        if not optimized:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        data, self._weights = (model, {}) if isinstance(model, bytes) else _in_parts(model)
        try:
            options.add_external_initializers(list(self._weights), list(self._weights.values()))
            self._session = onnxruntime.InferenceSession(
                data,
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


def _in_parts(model: ModelProto) -> tuple[bytes, dict[str, Any]]:
    """The graph without its large weights, and these as values of the engine."""
    read = {name for node in model.graph.node for name in names_read(node)}
    declared = {value.name for value in (*model.graph.input, *model.graph.output)}
    large = {
        tensor.name: onnxruntime.OrtValue.ortvalue_from_numpy(numpy_helper.to_array(tensor))
        for tensor in model.graph.initializer
        if element_count(tensor) >= _LARGE
        and tensor.data_type in _HANDED_OVER
        and not is_external(tensor)
        and tensor.name in read
        and tensor.name not in declared
    }
    return model_bytes(_without_values(model, large) if large else model), large


def _without_values(model: ModelProto, names: Container[str]) -> ModelProto:
    """A copy in which constants of these names only say that their values are elsewhere."""
    light = without_constants(model)
    graph, source = light.graph, model.graph
    for tensor in source.initializer:
        if tensor.name not in names:
            graph.initializer.append(tensor)
            continue
        kept = graph.initializer.add(name=tensor.name, data_type=tensor.data_type)
        kept.dims.extend(tensor.dims)
        kept.data_location = TensorProto.EXTERNAL
        kept.external_data.add(key="location", value="handed over")
    return light


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
