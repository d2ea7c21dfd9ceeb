"""Samples of an npz file that nobody declared, read when they are asked for.

Rules:

1. An array is judged by its header before a value is read, and only arrays that are asked for.
2. What was saved uncompressed stays in the file: a part of the samples is read when it is needed.
   A compressed array, and one in Fortran order, is held whole.
3. A part of the samples is again :class:`Rows`; nothing is read before :meth:`Rows.read`.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.npz_member import StoredArray, opened_archive, stored_array
from edgeworthy.datasets.reading import reading
from edgeworthy.errors import DatasetError

_SUFFIX = ".npy"
# The local header of a zip entry: its fixed part, and where the lengths of the others stand in it.
_LOCAL_HEADER_BYTES = 30
_LENGTHS = slice(26, 30)


@dataclass(frozen=True)
class Rows:
    """Samples along the first axis of an array.

    Attributes:
        path: The archive.
        array: How the array lies in it.
        numbers: Which samples of the array these are.
        dtype: What they are read as.
        start: Where its values begin in the archive.
        held: All values, where they cannot be read in parts.
    """

    path: Path
    array: StoredArray
    numbers: range
    dtype: np.dtype[Any]
    start: int
    held: NDArray[Any] | None

    @property
    def shape(self) -> tuple[int, ...]:
        """With the samples as first axis."""
        return (len(self.numbers), *self.array.shape[1:])

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, part: slice) -> Rows:
        """Some of the samples."""
        return replace(self, numbers=self.numbers[part])

    def astype(self, dtype: str) -> Rows:
        """The same samples, read as another type."""
        return replace(self, dtype=np.dtype(dtype))

    def read(self) -> NDArray[Any]:
        """The values, of :attr:`shape`.

        Raises:
            DatasetError: The file cannot be read, or became shorter.
        """
        if self.held is not None:
            values = self.held[self.numbers]
        else:
            values = np.frombuffer(self._bytes(), dtype=self.array.dtype).reshape(self.shape)
        return np.ascontiguousarray(values, dtype=self.dtype)

    def _bytes(self) -> bytes:
        size = self.array.sample_bytes
        # Samples that follow each other are read at once.
        runs = [self.numbers] if self.numbers.step == 1 else [range(n, n + 1) for n in self.numbers]
        parts = []
        with reading(self.path), self.path.open("rb") as stream:
            for run in runs:
                stream.seek(self.start + run.start * size)
                parts.append(stream.read(len(run) * size))
        data = b"".join(parts)
        if len(data) != len(self) * size:
            raise DatasetError(
                "the file became shorter while it was in use",
                where=f"{self.path}, array `{self.array.member.removesuffix(_SUFFIX)}`",
                next_step="Leave the file as it is while it is worked on, and start again",
            )
        return data


def array_names(path: Path) -> list[str]:
    """Names of the arrays, in the order of the archive.

    Raises:
        DatasetError: It is no npz file.
    """
    with opened_archive(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(_SUFFIX)]
        return [name.removesuffix(_SUFFIX) for name in names]


def rows_of(path: Path, names: Collection[str]) -> dict[str, Rows]:
    """These arrays.

    Args:
        path: An npz file.
        names: Of :func:`array_names`.

    Raises:
        DatasetError: It is no npz file, or an array is damaged, absurdly large or of objects.
    """
    with opened_archive(path) as archive:
        return {name: _rows(archive, name + _SUFFIX, path) for name in names}


def _rows(archive: zipfile.ZipFile, member: str, path: Path) -> Rows:
    array = stored_array(archive, member, path)
    entry = archive.getinfo(member)
    numbers = range(array.shape[0])
    if entry.compress_type == zipfile.ZIP_STORED and not array.fortran_order:
        start = _values_at(entry, path) + array.offset
        return Rows(path, array, numbers, array.dtype, start, None)
    with archive.open(member) as stream:
        held = np.lib.format.read_array(stream, allow_pickle=False)
    return Rows(path, array, numbers, array.dtype, 0, held)


def _values_at(entry: zipfile.ZipInfo, path: Path) -> int:
    """Where the bytes of an entry begin: behind its local header, whose length it tells itself."""
    with path.open("rb") as stream:
        stream.seek(entry.header_offset)
        lengths = stream.read(_LOCAL_HEADER_BYTES)[_LENGTHS]
    name_bytes, extra_bytes = struct.unpack("<HH", lengths)
    return int(entry.header_offset + _LOCAL_HEADER_BYTES + name_bytes + extra_bytes)
