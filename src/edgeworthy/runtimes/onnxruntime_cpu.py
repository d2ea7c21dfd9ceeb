"""ONNX Runtime on the CPU.

Rules:

1. The CPU provider alone, in graph order, with exactly the threads that were asked for: what is
   measured here is what a device runs.
2. A session that would use another provider fails to load.
3. Inputs are checked before the engine sees them, so that a mistake has one message whatever the
   engine.
4. What is not needed to run a model is imported when it is asked for.
5. No telemetry, no log below errors.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # onnxruntime ships no types
from numpy.typing import NDArray
from onnxruntime.capi import (  # type: ignore[import-untyped]  # onnxruntime ships no types
    onnxruntime_pybind11_state as engine_errors,
)

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.errors import InferenceError, ModelFileError, UsageError
from edgeworthy.runtimes.base import Runtime, Session, Tensors
from edgeworthy.runtimes.contract import check_inputs, one_line
from edgeworthy.runtimes.profiling import NodeProfile

PROVIDER = "CPUExecutionProvider"
#: Only what ends the process: everything else comes back as an exception, said once.
_LOG_FATAL = 4
_DTYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
}
#: What the engine raises when the file is sound and the engine has no means to run it.
_ENGINE_CANNOT = (engine_errors.NotImplemented, engine_errors.EPFail, MemoryError)

ort.disable_telemetry_events()


class OnnxRuntimeCpu(Runtime):
    """ONNX Runtime with the CPU provider."""

    name = "onnxruntime"

    def version(self) -> str:
        """Name and version, for example ``onnxruntime 1.32.0``."""
        return f"onnxruntime {ort.__version__}"

    def load(self, artifact: Path, *, threads: int = 1) -> Session:
        """Load an ONNX file; see :meth:`edgeworthy.runtimes.base.Runtime.load`."""
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
        try:
            # With its fallback on, the library would try again elsewhere without a word to us.
            engine = ort.InferenceSession(
                str(artifact),
                sess_options=_options(threads),
                providers=[PROVIDER],
                enable_fallback=0,
            )
            session = OnnxRuntimeSession(engine, where=str(artifact))
        except ModelFileError:
            raise
        except _ENGINE_CANNOT as error:
            raise InferenceError(
                f"ONNX Runtime cannot run this model: {one_line(error)}",
                where=str(artifact),
                next_step="Export the model with operators that ONNX Runtime has on the CPU",
            ) from error
        except Exception as error:  # its own exceptions share no base class
            raise ModelFileError(
                f"ONNX Runtime cannot load the model: {one_line(error)}",
                where=str(artifact),
                next_step="Run `edgeworthy inspect` on the file, or export the model again",
            ) from error
        check_providers(engine.get_providers(), where=str(artifact))
        return session

    def profile(
        self, artifact: Path, inputs: Tensors, *, threads: int = 1, run_count: int = 100
    ) -> tuple[NodeProfile, ...]:
        """Time per node; see :meth:`edgeworthy.runtimes.base.Runtime.profile`."""
        # It reads graphs, which would weigh 16 MiB in every process that is measured.
        from edgeworthy.runtimes.onnxruntime_profile import profile_nodes  # noqa: PLC0415

        # What is wrong with the file or the inputs is said as it is everywhere else.
        with self.load(artifact, threads=threads) as session:
            session.run(inputs)
        warm_up = max(run_count // 10, 1)
        try:
            return profile_nodes(
                artifact, _options(threads), inputs, run_count=run_count, warm_up=warm_up
            )
        except Exception as error:  # its own exceptions share no base class
            raise InferenceError(
                f"ONNX Runtime cannot profile this model: {one_line(error)}",
                where=str(artifact),
                next_step="Measure its latency instead, without --operators",
            ) from error

    def arena_bytes(
        self, artifact: Path, samples: Sequence[Tensors], *, threads: int = 1
    ) -> int | None:
        """Size of the arena; see :meth:`edgeworthy.runtimes.base.Runtime.arena_bytes`."""
        from edgeworthy.runtimes.onnxruntime_arena import arena_bytes  # noqa: PLC0415 - rule 4

        # What is wrong with the file or the inputs is said as it is everywhere else.
        with self.load(artifact, threads=threads) as session:
            for inputs in samples[:1]:
                session.run(inputs)
        try:
            return arena_bytes(artifact, _options(threads), samples)
        except Exception as error:  # its own exceptions share no base class
            raise InferenceError(
                f"ONNX Runtime failed: {one_line(error)}", where=str(artifact)
            ) from error


class OnnxRuntimeSession(Session):
    """A model in ONNX Runtime.

    Args:
        engine: The engine's own session.
        where: The file, for messages.

    Raises:
        ModelFileError: An input or output is not a tensor of numbers.
    """

    def __init__(self, engine: Any, *, where: str) -> None:  # noqa: ANN401 - untyped library
        self._engine = engine
        self._where = where
        self._signature = ModelSignature(
            inputs=tuple(_tensor(value, where) for value in engine.get_inputs()),
            outputs=tuple(_tensor(value, where) for value in engine.get_outputs()),
        )
        self._output_names = [tensor.name for tensor in self._signature.outputs]

    @property
    def signature(self) -> ModelSignature:
        """Inputs and outputs as the engine sees them."""
        return self._signature

    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Run one batch; see :meth:`edgeworthy.runtimes.base.Session.run`."""
        if self._engine is None:
            raise InferenceError(
                "the session is closed", where=self._where, next_step="Load the model again"
            )
        check_inputs(self._signature, inputs, where=self._where)
        try:
            outputs = self._engine.run(self._output_names, dict(inputs))
        except Exception as error:  # its own exceptions share no base class
            raise InferenceError(
                f"ONNX Runtime failed: {one_line(error)}",
                where=self._where,
                next_step="Check that the inputs are those that the model was made for",
            ) from error
        return {
            name: np.asarray(values)
            for name, values in zip(self._output_names, outputs, strict=True)
        }

    def close(self) -> None:
        """Give the engine's memory and threads back. Closing twice is allowed."""
        self._engine = None


def check_providers(found: list[str], *, where: str) -> None:
    """Refuse a session that does not run on the CPU provider alone.

    Raises:
        InferenceError: Another provider would run a part of the model.
    """
    if found != [PROVIDER]:
        raise InferenceError(
            "ONNX Runtime would run the model elsewhere",
            where=where,
            expected=PROVIDER,
            found=", ".join(found) or "no provider",
            next_step="Install the plain `onnxruntime` package",
        )


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _LOG_FATAL
    return options


def _tensor(value: Any, where: str) -> TensorSignature:  # noqa: ANN401 - untyped library
    if value.type not in _DTYPES:
        raise ModelFileError(
            f"{one_line(value.name)} is not a tensor of numbers",
            where=where,
            found=value.type,
            next_step="Export the model with plain numeric tensors as inputs and outputs",
        )
    # A dynamic axis without a name goes by its place, as in the signature of the file.
    shape = tuple(
        size if isinstance(size, int) and size >= 0 else size or f"axis_{index}"
        for index, size in enumerate(value.shape)
    )
    return TensorSignature(name=value.name, dtype=_DTYPES[value.type], shape=shape)


def create() -> Runtime:
    """The engine, for the registry."""
    return OnnxRuntimeCpu()
