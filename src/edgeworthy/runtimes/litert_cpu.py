"""LiteRT on the CPU, for ``.tflite`` files as they are (``pip install edgeworthy[litert]``).

Rules:

1. Only ``.tflite`` files, and nothing is converted: what is measured is the file that will ship.
2. The CPU alone: the engine's own kernels and its XNNPACK kernels, with the threads that were asked
   for. No other delegate is loaded, so there is none to fall back from.
3. Inputs and outputs are those of the file, in its types: a file that takes int8 gets int8.
4. A free batch axis is one that the file marks as free; another size of batch is set up once and
   kept until it changes.
5. One inference at a time: others wait their turn. The engine's notes on loading are not printed.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import InferenceError, ModelFileError, UsageError
from edgeworthy.graph.tflite import read_tflite
from edgeworthy.runtimes.base import Runtime, Session, Tensors
from edgeworthy.runtimes.contract import check_inputs, one_line
from edgeworthy.runtimes.extras import needed_module

_STANDARD_ERROR = 2
_SILENCE = threading.Lock()


class LiteRtCpu(Runtime):
    """LiteRT with its kernels for the CPU."""

    name = "litert"
    formats = (".tflite",)

    def __init__(self) -> None:
        self._library = needed_module("ai_edge_litert.interpreter", extra="litert", engine="LiteRT")

    def version(self) -> str:
        """Name and version, for example ``litert 2.3.0``."""
        return f"litert {importlib.metadata.version('ai-edge-litert')}"

    def load(self, artifact: Path, *, threads: int = 1) -> Session:
        """Load a ``.tflite`` file; see :meth:`edgeworthy.runtimes.base.Runtime.load`."""
        if threads < 1:
            raise UsageError(
                "an engine needs at least one thread",
                found=str(threads),
                next_step="Set `threads` of the target to 1 or more",
            )
        if not os.path.isfile(artifact):  # noqa: PTH113 - Path.is_file raises on a closed folder
            raise ModelFileError(
                "the model does not exist or is not a file",
                where=str(artifact),
                next_step="Check the path and the permissions of its folder",
            )
        data = artifact.read_bytes()
        # Read by us first: the engine's own reader ends the process on some broken files.
        signature = read_tflite(data, where=str(artifact)).signature
        try:
            with _silent():
                engine = self._library.Interpreter(model_content=data, num_threads=threads)
                engine.allocate_tensors()
        except Exception as error:  # it raises whatever comes to hand
            raise InferenceError(
                f"LiteRT cannot run this model: {one_line(error)}",
                where=str(artifact),
                next_step="Convert the model with built-in operators only",
            ) from error
        return LiteRtSession(engine, signature, where=str(artifact))


class LiteRtSession(Session):
    """A model in LiteRT.

    Args:
        engine: The engine's interpreter.
        signature: Of the file.
        where: The file, for messages.
    """

    def __init__(self, engine: Any, signature: ModelSignature, *, where: str) -> None:  # noqa: ANN401 - untyped library
        self._engine = engine
        self._signature = signature
        self._where = where
        self._lock = threading.Lock()
        self._inputs = [each["index"] for each in engine.get_input_details()]
        self._outputs = [each["index"] for each in engine.get_output_details()]
        self._shapes = [tuple(map(int, each["shape"])) for each in engine.get_input_details()]

    @property
    def signature(self) -> ModelSignature:
        """Inputs and outputs of the file."""
        return self._signature

    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Run one batch; see :meth:`edgeworthy.runtimes.base.Session.run`."""
        with self._lock:
            if self._engine is None:
                raise InferenceError(
                    "the session is closed", where=self._where, next_step="Load the model again"
                )
            check_inputs(self._signature, inputs, where=self._where)
            values = [np.ascontiguousarray(inputs[each.name]) for each in self._signature.inputs]
            try:
                self._fit([each.shape for each in values])
                for index, array in zip(self._inputs, values, strict=True):
                    self._engine.set_tensor(index, array)
                self._engine.invoke()
                return {
                    tensor.name: np.array(self._engine.get_tensor(index))
                    for tensor, index in zip(self._signature.outputs, self._outputs, strict=True)
                }
            except Exception as error:  # it raises whatever comes to hand
                raise InferenceError(
                    f"LiteRT failed: {one_line(error)}",
                    where=self._where,
                    next_step="Check that the inputs are those that the model was made for",
                ) from error

    def _fit(self, shapes: list[tuple[int, ...]]) -> None:
        """Set the engine up for another size of batch."""
        if shapes == self._shapes:
            return
        self._shapes = []  # whatever happens, the next run sets it up again
        for index, shape in zip(self._inputs, shapes, strict=True):
            self._engine.resize_tensor_input(index, list(shape))
        with _silent():
            self._engine.allocate_tensors()
        self._shapes = shapes

    def close(self) -> None:
        """Give the engine's memory and threads back. Closing twice is allowed."""
        self._engine = None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the engine's notes, which go past Python to the terminal, from people's eyes."""
    with _SILENCE:
        sys.stderr.flush()
        kept = os.dup(_STANDARD_ERROR)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, _STANDARD_ERROR)
            yield
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            os.close(kept)
            os.close(nowhere)


def create() -> Runtime:
    """The engine, for the registry."""
    return LiteRtCpu()
