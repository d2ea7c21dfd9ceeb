"""Arrays in an ``.npz`` file, streamed out of the archive.

Rules:

1. Nothing is unpickled: an array of Python objects is refused.
2. The header of an array must agree with the archive about its size, and a compressed array
   that would grow absurdly is refused before it is read.
3. Samples are read in order, a batch at a time; only an array in Fortran order is loaded whole.
"""

from __future__ import annotations

import contextlib
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.keys import array_keys
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.datasets.reading import as_text, reading, selected_rows
from edgeworthy.datasets.samples import BATCH_BYTES
from edgeworthy.errors import DatasetError

_WHOLE_BYTES = 1 << 30
_EXPANSION_BYTES = 256 << 20
_EXPANSION_RATIO = 200
_ENCRYPTED = 0x1
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class StoredArray:
    """Where and how an array lies in the archive.

    Attributes:
        member: File name inside the archive.
        shape: With the samples as first axis.
        dtype: As stored, byte order included.
        fortran_order: Whether the first axis varies fastest.
        offset: Bytes of the header before the values.
    """

    member: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    offset: int

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def size_bytes(self) -> int:
        """Bytes of all values."""
        return math.prod(self.shape) * self.dtype.itemsize


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
        with _archive(self._path) as archive:
            arrays = {
                name.removesuffix(".npy"): name
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            keys = array_keys(declaration, tuple(arrays), where=str(self._path))
            self._inputs = {
                name: _stored_array(archive, arrays[key], self._path)
                for name, key in keys.inputs.items()
            }
            self._labels = _whole_array(archive, arrays[keys.labels], self._path)
            columns = {
                name: _whole_array(archive, arrays[name], self._path) for name in keys.slices
            }
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
        with _archive(self._path) as archive, contextlib.ExitStack() as streams:
            readers = {
                name: _Reader(streams.enter_context(archive.open(array.member)), array)
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
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DatasetError(
            f"not a whole npz file: {error}",
            expected="an archive written by numpy.savez",
            where=str(path),
            next_step="Write the file again",
        ) from error


def _stored_array(archive: zipfile.ZipFile, member: str, path: Path) -> StoredArray:
    entry = archive.getinfo(member)
    where = f"{path}, array `{member.removesuffix('.npy')}`"
    if entry.flag_bits & _ENCRYPTED:
        raise DatasetError("the archive is encrypted", where=where, next_step="Decrypt it first")
    try:
        with archive.open(entry) as stream:
            version = np.lib.format.read_magic(stream)
            shape, fortran_order, dtype = _HEADER_READERS[version](stream)
            array = StoredArray(member, shape, dtype, fortran_order, stream.tell())
    except (ValueError, KeyError, struct.error, SyntaxError) as error:
        raise DatasetError(
            f"the header of the array cannot be read: {error}",
            where=where,
            next_step="Write the file again with numpy.savez",
        ) from error
    _check_kind(array, where)
    check_expansion(array, entry.file_size, entry.compress_size, where=where)
    return array


def _check_kind(array: StoredArray, where: str) -> None:
    if array.dtype.hasobject:
        raise DatasetError(
            "the array holds Python objects, and unpickling them could run any program",
            expected="numbers or text",
            where=where,
            next_step="Convert it with astype(float) or astype(str) and save it again",
        )
    if not array.shape or min(array.shape) < 0 or array.dtype.names:
        raise DatasetError(
            "the array has no axis of samples",
            expected="shape (n, ...) of plain numbers or text",
            found=f"shape {array.shape}, dtype {array.dtype}",
            where=where,
        )


def check_expansion(array: StoredArray, size: int, compressed_size: int, *, where: str) -> None:
    """Refuse an array whose size is a lie, or absurd.

    Args:
        array: As its header describes it.
        size: Bytes that the archive says the member has, header included.
        compressed_size: Bytes that it takes in the archive.
        where: File and array, for the message.

    Raises:
        DatasetError: The sizes disagree, one sample is larger than 1 GiB, or the array is larger
            than 256 MiB and 200 times as large as what is stored.
    """
    if array.offset + array.size_bytes != size:
        raise DatasetError(
            "the array is cut short, or its header lies about its size",
            expected=f"{array.offset + array.size_bytes} bytes for shape {array.shape}",
            found=f"{size} bytes",
            where=where,
            next_step="Write the file again",
        )
    if size > _EXPANSION_BYTES and size > _EXPANSION_RATIO * compressed_size:
        raise DatasetError(
            f"{compressed_size} bytes unfold to {size}, as in a zip bomb; nothing was read",
            where=where,
            next_step="If you trust the file, save it uncompressed with numpy.savez",
        )
    whole = array.fortran_order or len(array.shape) == 1
    if (array.size_bytes if whole else array.sample_bytes) > _WHOLE_BYTES:
        raise DatasetError(
            "too large to be held at once",
            expected=f"at most {_WHOLE_BYTES} bytes",
            found=f"shape {array.shape}, dtype {array.dtype}",
            where=where,
            next_step="Store samples along the first axis, in C order",
        )


def _whole_array(archive: zipfile.ZipFile, member: str, path: Path) -> NDArray[Any]:
    array = _stored_array(archive, member, path)
    if array.size_bytes > _WHOLE_BYTES:
        raise DatasetError(
            "too large for labels or slices",
            found=f"shape {array.shape}",
            where=f"{path}, array `{member.removesuffix('.npy')}`",
            next_step="Name an array with one entry per sample",
        )
    with archive.open(member) as stream:
        loaded: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return loaded
