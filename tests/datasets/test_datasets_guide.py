"""The guide to data sets, run: each project file in it opens samples laid out as it says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]  # the same
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, open_dataset
from edgeworthy.datasets.reading import INPUT_NAMES, LABEL_NAMES
from edgeworthy.documents.project import DataSection, InputSection, ModelSection, Task

GUIDE = Path(__file__).parents[2] / "docs/guides/datasets.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


class _Snippet(msgspec.Struct, forbid_unknown_fields=True):
    data: dict[str, DataSection]
    model: ModelSection | None = None


def _snippets() -> list[_Snippet]:
    return [msgspec.convert(tomllib.loads(text), _Snippet) for text in _blocks("toml")]


@pytest.fixture
def folder(
    tmp_path: Path,
    write_image: Callable[[Path, NDArray[Any]], None],
    write_wav: Callable[..., None],
) -> Path:
    """All files that the guide speaks of."""
    np.savez(
        tmp_path / "digits.npz",
        pixels=np.zeros((1797, 8, 8)),
        digit=np.arange(1797) % 10,
        stroke=np.array(["thick"] * 1797),
    )
    pictures, motions = _blocks("csv")
    for name in ("cat/001.png", "cat/002.png", "dog/001.png"):
        write_image(tmp_path / "pets" / name, np.zeros((4, 5, 3), np.uint8))
    (tmp_path / "pets/slices.csv").write_text(pictures)
    for name in ("normal/1.wav", "anomalous/1.wav"):
        write_wav(tmp_path / "machine" / name, bytes(64), rate=16_000)
    (tmp_path / "boilers.csv").write_text("t,site,pressure\n20,north,1.0\n30,south,1.1\n")
    (tmp_path / "motions.csv").write_text(motions)
    table = pa_csv.read_csv(tmp_path / "motions.csv").drop_columns(["wearer"])
    pq.write_table(pa.table(table), tmp_path / "motions.parquet")
    (code,) = _blocks("python")
    (tmp_path / "samples.py").write_text(code)
    return tmp_path


def _open(snippet: _Snippet, folder: Path) -> Dataset:
    model = snippet.model
    section = snippet.data["evaluation"]
    activities = ("walking", "standing") if section.labels == "activity" else ()
    task: Task = "regression" if section.labels == "pressure" else "classification"
    return open_dataset(
        section,
        folder=folder,
        name="evaluation",
        task=model.task if model else task,
        labels=model.labels if model else activities,
    )


def test_each_project_file_of_the_guide_works(folder: Path) -> None:
    found = []
    for snippet in _snippets():
        dataset = _open(snippet, folder)
        batch = next(dataset.batches(100))
        found.append((dataset.data_format, len(dataset), next(iter(batch.inputs.values())).shape))
        assert set(batch.slices) == set(snippet.data["evaluation"].slices)
    assert found == [
        ("npz", 697, (100, 8, 8)),
        ("image-folder", 3, (3, 4, 5, 3)),
        ("wav-folder", 2, (2, 32)),
        ("csv", 2, (2, 1)),
        ("csv", 2, (2, 2, 3)),
        ("parquet", 2, (2, 2, 3)),
        ("function", 20, (20, 4, 4)),
    ]


def test_the_guide_names_what_is_taken_by_default() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for name in (*INPUT_NAMES, *LABEL_NAMES):
        assert f"`{name}`" in text
    for key in (*DataSection.__struct_fields__, "layout", "mean", "std", "resize"):
        if key not in ("license", "origin"):
            assert re.search(rf"\b{key}\b", text), key
    assert {"layout", "mean", "std", "resize"} <= set(InputSection.__struct_fields__)
