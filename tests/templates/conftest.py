"""Where the templates and examples stand, and how a test runs a model."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.project import InputSection, ProjectFile

Predict: TypeAlias = Callable[[Path, NDArray[Any]], NDArray[np.int64]]


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def templates() -> Path:
    return Path(str(files("edgeworthy"))) / "templates"


@pytest.fixture(scope="session")
def read_project() -> Callable[[Path], ProjectFile]:
    """The project file, decoded strictly and by nothing but its record."""

    def read(path: Path) -> ProjectFile:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), ProjectFile)

    return read


@pytest.fixture(scope="session")
def normalize() -> Callable[[NDArray[Any], InputSection, int], NDArray[np.float32]]:
    """Raw samples, already in the model's layout, with mean and std along one axis."""

    def apply(raw: NDArray[Any], section: InputSection, axis: int) -> NDArray[np.float32]:
        shape = [1] * raw.ndim
        shape[axis] = -1
        mean = np.array(section.mean).reshape(shape)
        std = np.array(section.std).reshape(shape)
        return np.asarray((raw - mean) / std, dtype=np.float32)

    return apply


@pytest.fixture(scope="session")
def predict() -> Predict:
    """The class that onnxruntime's first output ranks highest, per sample."""

    def run(model: Path, inputs: NDArray[Any]) -> NDArray[np.int64]:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        (outputs,) = session.run(None, {session.get_inputs()[0].name: inputs})
        return np.asarray(np.argmax(outputs, axis=1), dtype=np.int64)

    return run
