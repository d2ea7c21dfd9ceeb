"""One array inside an npz archive, judged by its header before a value is read.

Rules:

1. Nothing is unpickled: an array of Python objects is refused.
2. The header of an array must agree with the archive about its size.
3. A compressed array that would grow absurdly, and a sample that would not fit into the memory,
   are refused.
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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.reading import reading
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


@contextlib.contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An npz file, open.

    Raises:
        DatasetError: It is none, or is not whole.
    """
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DatasetError(
            f"not a whole npz file: {error}",
            expected="an archive written by numpy.savez",
            where=str(path),
            next_step="Write the file again with numpy.savez, an array per name",
        ) from error


def stored_array(archive: zipfile.ZipFile, member: str, path: Path) -> StoredArray:
    """Describe an array from its header.

    Args:
        archive: The open archive.
        member: File name inside it.
        path: Of the archive, for error messages.

    Raises:
        DatasetError: The array is damaged, absurdly large or not plain numbers or text.
    """
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
            next_step="Save an array with one entry per sample along its first axis",
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


def whole_array(archive: zipfile.ZipFile, member: str, path: Path) -> NDArray[Any]:
    """Labels or slices: an array that is small enough to be held.

    Raises:
        DatasetError: It is damaged, or too large.
    """
    array = stored_array(archive, member, path)
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
