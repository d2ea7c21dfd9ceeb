"""Arrays in an ``.npz`` file, streamed out of the archive.

Rules:

1. An array is judged by its header before a value is read.
2. Samples are read in order, a batch at a time; only an array in Fortran order is loaded whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.keys import array_keys
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.datasets.npz_member import (
    StoredArray,
    opened_archive,
    stored_array,
    whole_array,
)
from edgeworthy.datasets.reading import as_text, selected_rows
from edgeworthy.datasets.samples import BATCH_BYTES
from edgeworthy.errors import DatasetError


class NpzDataset(Dataset):
    """Samples in a numpy archive.

    Args:
        declaration: Of the data set.

    Raises:
        DatasetError: The file cannot be read or does not hold what was declared.
    """

    data_format = "npz"
    axes = ""

    def __init__(self, declaration: Declaration) -> None:
        self._path = declaration.path
        self._reader = LabelReader(declaration)
        with opened_archive(self._path) as archive:
            arrays = {
                name.removesuffix(".npy"): name
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            keys = array_keys(declaration, tuple(arrays), where=str(self._path))
            self._inputs = {
                name: stored_array(archive, arrays[key], self._path)
                for name, key in keys.inputs.items()
            }
            self._labels = whole_array(archive, arrays[keys.labels], self._path)
            columns = {name: whole_array(archive, arrays[name], self._path) for name in keys.slices}
        self._check_lengths(columns)
        self._rows = selected_rows(declaration, len(self._labels))
        self._slices = {
            name: tuple(as_text(value) for value in column[self._rows.start : self._rows.stop])
            for name, column in columns.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, at most ``size`` at a time."""
        largest = max(array.sample_bytes for array in self._inputs.values())
        step = max(1, min(size, BATCH_BYTES // max(1, largest)))
        with contextlib.ExitStack() as streams:
            # An archive per array: since Python 3.12, members of one archive that take turns
            # seek from each other's position.
            readers = {
                name: _Reader(streams.enter_context(_opened(self._path, array.member)), array)
                for name, array in self._inputs.items()
            }
            for reader in readers.values():
                reader.skip_to(self._rows.start)
            for first in range(0, len(self), step):
                last = min(first + step, len(self))
                start, stop = self._rows.start + first, self._rows.start + last
                yield RawBatch(
                    first=first,
                    inputs={name: reader.take(stop - start) for name, reader in readers.items()},
                    labels=self._reader.read(self._labels[start:stop], first),
                    slices={name: texts[first:last] for name, texts in self._slices.items()},
                )

    def _check_lengths(self, columns: dict[str, NDArray[Any]]) -> None:
        lengths = {array.member: array.shape[0] for array in self._inputs.values()}
        lengths |= {f"{name}.npy": len(column) for name, column in columns.items()}
        for name, length in lengths.items():
            if length != len(self._labels):
                raise DatasetError(
                    f"array `{name.removesuffix('.npy')}` and the labels differ in length",
                    expected=f"{len(self._labels)} entries, one per label",
                    found=str(length),
                    where=str(self._path),
                    next_step="Store one label and one slice value per sample",
                )


class _Reader:
    """Reads consecutive samples of one array from its stream."""

    def __init__(self, stream: IO[bytes], array: StoredArray) -> None:
        self._stream = stream
        self._array = array
        self._next = 0
        self._loaded: NDArray[Any] | None = None
        if array.fortran_order:
            stream.seek(0)
            self._loaded = np.lib.format.read_array(stream, allow_pickle=False)

    def skip_to(self, sample: int) -> None:
        """Go to a sample; compressed values before it are read and dropped."""
        self._next = sample
        if self._loaded is None:
            self._stream.seek(self._array.offset + sample * self._array.sample_bytes)

    def take(self, count: int) -> NDArray[Any]:
        """The next samples."""
        shape = (count, *self._array.shape[1:])
        if self._loaded is not None:
            start, self._next = self._next, self._next + count
            return np.ascontiguousarray(self._loaded[start : self._next])
        data = self._stream.read(count * self._array.sample_bytes)
        return np.frombuffer(data, dtype=self._array.dtype).reshape(shape)


@contextlib.contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    with opened_archive(path) as archive, archive.open(member) as stream:
        yield stream
