"""OpenVINO on the CPU; an optional engine (``pip install edgeworthy[openvino]``).

Rules:

1. The CPU device alone, one stream, with exactly the threads that were asked for, and float32 where
   the file says float32: the engine would compute in half precision by itself where it can.
2. What it says after loading counts, not what it was asked: another device, other threads or
   another precision is an error.
3. Inputs and outputs are those of the file. The engine forgets the names of free axes, so the
   signature is read from the file, as for every engine.
4. Axes of one name have one size: the engine would stretch the shorter one without a word.
5. One inference at a time: others wait their turn.
"""

from __future__ import annotations

import importlib.metadata
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import InferenceError, ModelFileError, UsageError
from edgeworthy.graph import load_model, model_signature
from edgeworthy.runtimes.base import Runtime, Session, Tensors
from edgeworthy.runtimes.contract import check_inputs, one_line
from edgeworthy.runtimes.extras import needed_module

DEVICE = "CPU"
#: What axes are called that have no name in the file.
_NAMELESS = "axis_"


class OpenVinoCpu(Runtime):
    """OpenVINO with the CPU device."""

    name = "openvino"
    keeps_idle_threads = True

    def __init__(self) -> None:
        self._library = needed_module("openvino", extra="openvino", engine="OpenVINO")

    def version(self) -> str:
        """Name and version, for example ``openvino 2026.4.1``."""
        return f"openvino {importlib.metadata.version('openvino')}"

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
        signature = model_signature(load_model(artifact).proto)
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        try:
            core = self._library.Core()
            compiled = core.compile_model(core.read_model(str(artifact)), DEVICE, settings)
        except Exception as error:  # its own exceptions share no base class
            raise InferenceError(
                f"OpenVINO cannot run this model: {one_line(error)}",
                where=str(artifact),
                next_step="Leave `openvino` out of the target's runtimes",
            ) from error
        _check_place(compiled, threads, where=str(artifact))
        return OpenVinoSession(compiled, signature, where=str(artifact))


class OpenVinoSession(Session):
    """A model in OpenVINO.

    Args:
        compiled: The engine's compiled model.
        signature: Of the file.
        where: The file, for messages.

    Raises:
        InferenceError: The engine does not know an output of the file.
    """

    def __init__(self, compiled: Any, signature: ModelSignature, *, where: str) -> None:  # noqa: ANN401 - untyped library
        self._signature = signature
        self._where = where
        self._lock = threading.Lock()
        self._ports = {}
        try:
            for tensor in signature.outputs:
                self._ports[tensor.name] = compiled.output(tensor.name)
            self._request = compiled.create_infer_request()
        except Exception as error:  # its own exceptions share no base class
            raise InferenceError(
                f"OpenVINO does not give an output of the model: {one_line(error)}", where=where
            ) from error

    @property
    def signature(self) -> ModelSignature:
        """Inputs and outputs of the file."""
        return self._signature

    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Run one batch; see :meth:`edgeworthy.runtimes.base.Session.run`."""
        with self._lock:
            if self._request is None:
                raise InferenceError(
                    "the session is closed", where=self._where, next_step="Load the model again"
                )
            check_inputs(self._signature, inputs, where=self._where)
            _check_axes(self._signature, inputs, where=self._where)
            ordered = {name: np.ascontiguousarray(values) for name, values in inputs.items()}
            try:
                self._request.infer(ordered)
                return {
                    name: np.array(self._request.get_tensor(port).data)
                    for name, port in self._ports.items()
                }
            except Exception as error:  # its own exceptions share no base class
                raise InferenceError(
                    f"OpenVINO failed: {one_line(error)}",
                    where=self._where,
                    next_step="Check that the inputs are those that the model was made for",
                ) from error

    def close(self) -> None:
        """Give the engine's memory and threads back. Closing twice is allowed."""
        self._request = None
        self._ports = {}


def _check_axes(signature: ModelSignature, inputs: Tensors, *, where: str) -> None:
    """Hold axes that share a name against each other (rule 4)."""
    sizes: dict[str, int] = {}
    for tensor in signature.inputs:
        for axis, size in zip(tensor.shape, inputs[tensor.name].shape, strict=True):
            if not isinstance(axis, str) or axis.startswith(_NAMELESS):
                continue
            if sizes.setdefault(axis, size) != size:
                raise InferenceError(
                    f"OpenVINO failed: the axis `{axis}` has two sizes",
                    where=where,
                    expected=str(sizes[axis]),
                    found=str(size),
                    next_step="Check that the inputs are those that the model was made for",
                )


def _check_place(compiled: Any, threads: int, *, where: str) -> None:  # noqa: ANN401 - untyped library
    """Hold where and how the engine will run against what was asked (rule 2)."""
    found = {
        "devices": ", ".join(map(str, compiled.get_property("EXECUTION_DEVICES"))),
        "threads": str(compiled.get_property("INFERENCE_NUM_THREADS")),
        "streams": str(compiled.get_property("NUM_STREAMS")),
        "precision": compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(),
    }
    check_place(found, threads, where=where)


def check_place(found: dict[str, str], threads: int, *, where: str) -> None:
    """Refuse a model that would run elsewhere or otherwise than asked.

    Args:
        found: ``devices``, ``threads``, ``streams`` and ``precision``, as the engine says.
        threads: What was asked.
        where: The file.

    Raises:
        InferenceError: They differ.
    """
    wanted = {"devices": DEVICE, "threads": str(threads), "streams": "1", "precision": "f32"}
    if found != wanted:
        raise InferenceError(
            "OpenVINO would run the model otherwise than asked",
            where=where,
            expected=", ".join(f"{name} {value}" for name, value in wanted.items()),
            found=", ".join(f"{name} {value}" for name, value in found.items()),
            next_step="Leave `openvino` out of the target's runtimes on this machine",
        )


def create() -> Runtime:
    """The engine, for the registry."""
    return OpenVinoCpu()
