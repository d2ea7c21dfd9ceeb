from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset
from edgeworthy.datasets.reading import listed
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError, ProjectFileError

OpenSection = Callable[..., Dataset]


def test_the_format_is_found_from_the_path(
    tmp_path: Path,
    open_section: OpenSection,
    write_image: Callable[[Path, NDArray[Any]], None],
    write_wav: Callable[..., None],
) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)), y=[0, 1])
    (tmp_path / "a.CSV").write_text("a,label\n1,cat\n2,dog\n")
    for name in ("cat", "dog"):
        write_image(tmp_path / "pictures" / name / "1.jpg", np.zeros((4, 4, 3), np.uint8))
        write_wav(tmp_path / "sounds" / name / "1.wav", bytes(8))
        (tmp_path / "sounds" / name / ".hidden").write_bytes(b"")
    (tmp_path / "data.py").write_text("def load():\n    return {'x': [1, 2], 'y': [0, 1]}\n")
    found = [
        open_section(section).data_format
        for section in (
            DataSection(path="a.npz"),
            DataSection(path="a.CSV"),
            DataSection(path="pictures"),
            DataSection(path="sounds"),
            DataSection(function="data:load"),
        )
    ]
    assert found == ["npz", "csv", "image-folder", "wav-folder", "function"]


def test_a_declared_format_overrules_the_name(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "table.txt").write_text("a,label\n1,cat\n2,dog\n")
    assert len(open_section(DataSection(path="table.txt", format="csv"))) == 2
    with pytest.raises(DatasetError, match="format cannot be told"):
        open_section(DataSection(path="table.txt"))


def test_a_folder_of_neither(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images and no wav files"):
        open_section(DataSection(path="empty"))


def test_a_path_is_needed(open_section: OpenSection) -> None:
    with pytest.raises(ProjectFileError, match=r"data\.evaluation: a data set needs `path`"):
        open_section(DataSection())
    with pytest.raises(ProjectFileError, match="needs `path`"):
        open_section(DataSection(format="csv"))


def test_a_missing_file_is_answered_with_its_neighbor(
    tmp_path: Path, open_section: OpenSection
) -> None:
    (tmp_path / "samples.npz").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"no such file or folder.*Did you mean `samples\.npz`"):
        open_section(DataSection(path="sample.npz"))
    with pytest.raises(DatasetError, match="no such file or folder"):
        open_section(DataSection(path="nowhere/sample.npz"))


def test_one_sample_proves_nothing(tmp_path: Path, open_section: OpenSection) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((1, 3)), y=[0])
    with pytest.raises(DatasetError, match=r"nothing can be inferred.*at least 2 samples, found 1"):
        open_section(DataSection(path="a.npz"))


def test_nan_is_named_by_the_first_sample(tmp_path: Path, open_section: OpenSection) -> None:
    samples = np.ones((5, 2, 2), np.float16)
    samples[3, 1, 0] = np.nan
    samples[4] = np.inf
    np.savez(tmp_path / "a.npz", x=samples, y=[0, 1, 0, 1, 0])
    section = DataSection(path="a.npz", inputs={"pixels": "x"})
    with pytest.raises(DatasetError, match="sample 3: input `pixels` holds NaN or infinity"):
        list(open_section(section).batches(2))


def test_a_batch_holds_at_least_one(tmp_path: Path, open_section: OpenSection) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)), y=[0, 1])
    with pytest.raises(ValueError, match="at least one"):
        list(open_section(DataSection(path="a.npz")).batches(0))


def test_long_lists_of_names_are_cut() -> None:
    assert listed([str(index) for index in range(10, 30)]).endswith("`21` and 8 more")
