"""The small interface behind which every inference engine stands.

Rules:

1. A session runs one artefact file, on a fixed number of threads, on batches of any size that
   the model's batch axis allows.
2. An engine that would run a part of the model elsewhere than asked (another provider, a
   delegate that gave up) fails to load: a silent fallback is a failure, not a result.
3. What the engine raises comes out as :class:`InferenceError`, what is wrong with the file as
   :class:`ModelFileError`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.model import ModelSignature
from edgeworthy.runtimes.profiling import NodeProfile

#: Tensors by name.
Tensors: TypeAlias = Mapping[str, NDArray[Any]]


class Session(abc.ABC):
    """One artefact, loaded and ready to run."""

    @property
    @abc.abstractmethod
    def signature(self) -> ModelSignature:
        """Inputs and outputs as the engine sees them."""

    @abc.abstractmethod
    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Run one batch.

        Args:
            inputs: Every input of the signature; shape ``(n, ...)``, dtype of the signature.

        Returns:
            Every output of the signature, by name.

        Raises:
            InferenceError: The engine refused the inputs or failed.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what the engine holds. Closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Runtime(abc.ABC):
    """An inference engine."""

    #: The name in the project file.
    name: str
    #: Endings of the files that it reads.
    formats: tuple[str, ...] = (".onnx",)
    #: Whether it keeps idle threads beside those that compute, so that counting threads tells
    #: nothing; what the engine says after loading is checked instead.
    keeps_idle_threads: bool = False

    @abc.abstractmethod
    def version(self) -> str:
        """Name and version, for example ``onnxruntime 1.32.0``."""

    @abc.abstractmethod
    def load(self, artifact: Path, *, threads: int = 1) -> Session:
        """Load an artefact.

        Args:
            artifact: The file.
            threads: Threads that the engine may use inside one inference.

        Raises:
            ModelFileError: The engine cannot read the file.
            InferenceError: The engine would not run all of it where it was asked to.
        """

    def profile(
        self, artifact: Path, inputs: Tensors, *, threads: int = 1, run_count: int = 100
    ) -> tuple[NodeProfile, ...] | None:
        """Time per node, from engines that can profile themselves; others give ``None``.

        Args:
            artifact: The file.
            inputs: Every input, of every run.
            threads: Threads that the engine may use inside one inference.
            run_count: Runs that count; as many as a tenth of them come before.

        Raises:
            ModelFileError: The engine cannot read the file.
            InferenceError: The engine refused the inputs or failed.
        """
        del artifact, inputs, threads, run_count
        return None

    def arena_bytes(
        self, artifact: Path, samples: Sequence[Tensors], *, threads: int = 1
    ) -> int | None:
        """Memory that the engine holds ready for tensors, where it tells; others give ``None``.

        To be asked in a process that runs this artefact and nothing else: an engine may have to
        turn its log on.

        Args:
            artifact: The file.
            samples: Inputs of queries that are run before it is told.
            threads: Threads that the engine may use inside one inference.

        Raises:
            ModelFileError: The engine cannot read the file.
            InferenceError: The engine refused the inputs or failed.
        """
        del artifact, samples, threads
        return None


def random_inputs(
    signature: ModelSignature, *, batch: int, generator: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Inputs of the right shapes and types, for rewrites' proofs and for timing without data.

    Args:
        signature: What the model takes; a named axis gets the size ``batch``.
        batch: Size of the named axes.
        generator: Source of randomness.
    """
    drawn: dict[str, NDArray[Any]] = {}
    for tensor in signature.inputs:
        shape = tuple(size if isinstance(size, int) else batch for size in tensor.shape)
        dtype = np.dtype(tensor.dtype)
        if np.issubdtype(dtype, np.floating):
            drawn[tensor.name] = generator.standard_normal(shape).astype(dtype)
        else:
            drawn[tensor.name] = generator.integers(0, 2, size=shape).astype(dtype)
    return drawn
