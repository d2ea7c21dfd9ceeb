"""A folder with one sub-folder of files per class.

Rules:

1. Classes come in the order of the declared labels, files sorted by name within each.
2. Nothing is skipped silently: an undeclared sub-folder, an empty one or a file of another kind
   is an error; only hidden files are passed over.
3. Slices stand in ``slices.csv`` beside the sub-folders: a column ``file`` with paths such as
   ``cat/001.png``, and one column per slice.
"""

from __future__ import annotations

import abc
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.keys import slice_keys
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.datasets.reading import listed, nearest, reading, selected_rows
from edgeworthy.datasets.samples import Sample, batched
from edgeworthy.documents.encoded import EncodedSample
from edgeworthy.errors import DatasetError, ProjectFileError

SLICES_FILE = "slices.csv"


class ClassFolderDataset(Dataset):
    """Samples in one file each.

    Args:
        declaration: Of the data set.

    Raises:
        DatasetError: The folder does not hold what was declared.
        ProjectFileError: The task has no classes, or they are not declared.
    """

    suffixes: ClassVar[frozenset[str]]

    def __init__(self, declaration: Declaration) -> None:
        if not declaration.class_names:
            raise ProjectFileError(
                f"a data set of format `{self.data_format}` takes its labels from folder names",
                expected="the class names in `model.labels`",
                found=f"none, for task `{declaration.task}`",
                where=declaration.where,
                next_step="Declare the labels, or use a format that has a column for them",
            )
        self._folder = declaration.path
        self._labels = LabelReader(declaration)
        with reading(self._folder):
            files = self._files(declaration.class_names)
        columns = declaration.section.slices
        self._slices = _read_slices(self._folder / SLICES_FILE, declaration) if columns else {}
        rows = selected_rows(declaration, len(files))
        self._files_of_rows = files[rows.start : rows.stop]

    def __len__(self) -> int:
        return len(self._files_of_rows)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, at most ``size`` at a time."""
        return batched(self._samples(), size, self._labels)

    @abc.abstractmethod
    def decode(self, path: Path) -> NDArray[Any]:
        """The values of one file.

        Raises:
            DatasetError: It is damaged or of another kind.
        """

    @abc.abstractmethod
    def encode(self, path: Path) -> EncodedSample:
        """The bytes of one file, as a device would receive them."""

    def encoded(self, count: int) -> Iterator[EncodedSample]:
        """The first files as they are."""
        for _, path in self._files_of_rows[:count]:
            with reading(path):
                yield self.encode(path)

    def _samples(self) -> Iterator[Sample]:
        for label, path in self._files_of_rows:
            with reading(path):
                values = self.decode(path)
            yield Sample({"": values}, label, self._slices_of(path) if self._slices else {})

    def _slices_of(self, path: Path) -> dict[str, str]:
        key = f"{path.parent.name}/{path.name}"
        if key not in self._slices:
            raise DatasetError(
                f"no line for `{key}`",
                where=str(self._folder / SLICES_FILE),
                next_step=nearest(key, self._slices).rstrip("?") or "Add a line for each file",
            )
        return self._slices[key]

    def _files(self, labels: tuple[str, ...]) -> list[tuple[str, Path]]:
        found = {
            entry.name: entry
            for entry in self._folder.iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        }
        for name in sorted(found):
            if name not in labels:
                raise DatasetError(
                    f"the sub-folder `{name}` is no declared class",
                    expected=f"one of {listed(labels)}",
                    where=str(self._folder),
                    next_step=nearest(name, labels).rstrip("?")
                    or "Add it to `model.labels`, or move it away",
                )
        return [
            (label, path)
            for label in labels
            if label in found
            for path in self._class_files(found[label])
        ]

    def _class_files(self, folder: Path) -> list[Path]:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if not paths:
            raise DatasetError(
                "the class has no file in it",
                expected=f"files of kind {listed(self.suffixes)}",
                where=str(folder),
                next_step="Add samples, or remove the folder",
            )
        for path in paths:
            if path.suffix.lower() not in self.suffixes:
                raise DatasetError(
                    f"not a file for a data set of format `{self.data_format}`",
                    expected=f"one of {listed(self.suffixes)}",
                    where=str(path),
                    next_step="Move it out of the folder",
                )
        return paths


def _read_slices(path: Path, declaration: Declaration) -> dict[str, dict[str, str]]:
    try:
        with reading(path), path.open(newline="", encoding="utf-8-sig") as stream:
            lines = csv.DictReader(stream, strict=True)
            columns = tuple(lines.fieldnames or ())
            names = slice_keys(declaration, columns, what="column", where=str(path))
            if "file" not in columns:
                raise DatasetError(
                    "there is no column `file`", found=listed(columns), where=str(path)
                )
            return {line["file"]: {name: line[name] or "" for name in names} for line in lines}
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"not a table of text: {error}", where=str(path)) from error
