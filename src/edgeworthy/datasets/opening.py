"""From a table of the project file to samples.

Rules:

1. One format, one file; what holds of all is checked in one place around them.
2. A format that is left out is found from the path alone; what is unclear is asked, not guessed.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeworthy.datasets.base import Dataset, Declaration
from edgeworthy.datasets.csv_table import open_csv
from edgeworthy.datasets.function import open_function
from edgeworthy.datasets.guard import GuardedDataset
from edgeworthy.datasets.image_folder import ImageFolderDataset
from edgeworthy.datasets.npz import NpzDataset
from edgeworthy.datasets.parquet_table import open_parquet
from edgeworthy.datasets.reading import listed, reading
from edgeworthy.datasets.shaped_labels import SHAPED_TASKS
from edgeworthy.datasets.wav_folder import WavFolderDataset
from edgeworthy.documents.project import DataFormat, DataSection, Task
from edgeworthy.errors import DatasetError, ProjectFileError

_OPENERS: dict[DataFormat, Callable[[Declaration], Dataset]] = {
    "npz": NpzDataset,
    "image-folder": ImageFolderDataset,
    "wav-folder": WavFolderDataset,
    "csv": open_csv,
    "parquet": open_parquet,
    "function": open_function,
}
_SHAPED_FORMATS: tuple[DataFormat, ...] = ("npz", "function")
_SUFFIXES: dict[str, DataFormat] = {
    ".npz": "npz",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def open_dataset(
    section: DataSection, *, folder: Path, name: str, task: Task, labels: Sequence[str]
) -> Dataset:
    """Open a declared data set.

    Args:
        section: Its table in the project file.
        folder: The project's.
        name: Of the set.
        task: What the labels mean.
        labels: Class names in the order of the model's output; may be empty.

    Returns:
        A data set that is checked while it is read.

    Raises:
        DatasetError: The samples are unreadable or inconsistent.
        MissingExtraError: The format needs a package that is not installed.
        ProjectFileError: The section contradicts itself.
    """
    declaration = Declaration(
        name=name, section=section, folder=folder, task=task, labels=tuple(labels)
    )
    data_format = section.format or _found_format(declaration)
    if task in SHAPED_TASKS and data_format not in _SHAPED_FORMATS:
        raise ProjectFileError(
            f"labels of the task {task} do not fit this format",
            where=declaration.where,
            expected=f"format {listed(_SHAPED_FORMATS)}",
            found=data_format,
            next_step="Store samples and labels as arrays in one npz file",
        )
    if data_format != "function" and not section.path:
        raise ProjectFileError(
            "a data set needs `path`",
            where=declaration.where,
            next_step='Write path = "..." for a file or folder, or function = "module:function"',
        )
    return GuardedDataset(_OPENERS[data_format](declaration), declaration)


def _found_format(declaration: Declaration) -> DataFormat:
    section, path = declaration.section, declaration.path
    if section.function:
        return "function"
    if not section.path:
        return "npz"
    with reading(path):
        if not stat.S_ISDIR(path.stat().st_mode):
            return _format_of_file(path)
        folders = [entry for entry in path.iterdir() if entry.is_dir()]
        files = [file for folder in folders for file in folder.iterdir()]
    suffixes = {file.suffix.lower() for file in files if not file.name.startswith(".")}
    if suffixes and suffixes <= WavFolderDataset.suffixes:
        return "wav-folder"
    if suffixes & ImageFolderDataset.suffixes:
        return "image-folder"
    raise DatasetError(
        "no images and no wav files in sub-folders",
        expected="one sub-folder per class",
        where=str(path),
        next_step="Put the files into sub-folders named as the labels, or declare `format`",
    )


def _format_of_file(path: Path) -> DataFormat:
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise DatasetError(
            "the format cannot be told from the file's name",
            expected=f"one of {listed(_SUFFIXES)}",
            found=f"`{path.name}`",
            where=str(path),
            next_step='Declare it, for example format = "csv"',
        )
    return found
