"""The same samples, written in any format."""

from __future__ import annotations

import csv
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.datasets import Dataset, open_dataset
from edgeworthy.documents.project import DataSection, Task

LABELS = ("cat", "dog")

OpenSection = Callable[..., Dataset]


@pytest.fixture
def open_section(tmp_path: Path) -> OpenSection:
    """Open a section in the test's folder, as a classifier of cats and dogs unless told."""

    def make(
        section: DataSection, *, task: Task = "classification", labels: Sequence[str] = LABELS
    ) -> Dataset:
        return open_dataset(section, folder=tmp_path, name="evaluation", task=task, labels=labels)

    return make


@pytest.fixture
def write_image() -> Callable[[Path, NDArray[Any]], None]:
    def write(path: Path, pixels: NDArray[Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = pixels.ndim == 3 and pixels.shape[2] == 1
        Image.fromarray(pixels[:, :, 0] if grey else pixels).save(path)

    return write


@pytest.fixture
def write_wav() -> Callable[..., None]:
    def write(
        path: Path, data: bytes, *, width: int = 2, channels: int = 1, rate: int = 8000
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(channels)
            sound.setsampwidth(width)
            sound.setframerate(rate)
            sound.writeframes(data)

    return write


@pytest.fixture
def write_csv() -> Callable[..., None]:
    def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.DictWriter(stream, fieldnames=list(rows[0]))
            lines.writeheader()
            lines.writerows(rows)

    return write


@pytest.fixture
def write_npz(tmp_path: Path) -> Callable[..., Path]:
    """Write arrays to ``samples.npz`` of the test's folder."""

    def write(**arrays: NDArray[Any] | list[int]) -> Path:
        path = tmp_path / "samples.npz"
        np.savez(path, allow_pickle=False, **{k: np.asarray(v) for k, v in arrays.items()})
        return path

    return write
