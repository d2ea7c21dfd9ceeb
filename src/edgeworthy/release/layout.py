"""An OCI image layout in a folder that nobody vouches for.

Rules:

1. The folder holds ``oci-layout``, ``index.json`` and ``blobs/sha256/``; anything else, a symbolic
   link or a device file in particular, is refused before anything is opened.
2. A blob is opened only by a well-formed digest, without following links and without waiting for
   the far end of a pipe.
3. Bytes are believed when their number and their digest are those of the descriptor; what is kept
   in memory is bounded, larger content is hashed in pieces.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from edgeworthy.documents.record import DIGEST_PATTERN
from edgeworthy.errors import VerificationError
from edgeworthy.release.oci import Descriptor
from edgeworthy.release.strict_json import convert_strictly, parse_strictly

#: Largest manifest, index or configuration that is read.
LARGEST_MANIFEST_BYTES = 4 << 20
_ENTRIES = {"oci-layout", "index.json", "blobs"}
_CHUNK_BYTES = 1 << 20
_ALGORITHM = "sha256"

RecordT = TypeVar("RecordT")


class _LayoutFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str = msgspec.field(name="imageLayoutVersion")


@dataclass(frozen=True)
class Layout:
    """A folder whose outer form is that of an OCI image layout.

    Attributes:
        folder: Where it lies.
        present: Digests that its blobs are named by; what they hold is not known yet.
    """

    folder: Path
    present: frozenset[str]

    def path_of(self, descriptor: Descriptor) -> Path:
        """The file that a descriptor names.

        Raises:
            VerificationError: The digest is malformed, or there is no such blob.
        """
        if not DIGEST_PATTERN.fullmatch(descriptor.digest):
            raise VerificationError(
                "malformed digest",
                expected="sha256: and 64 hexadecimal digits",
                found=repr(descriptor.digest[:80]),
                where=str(self.folder),
            )
        if descriptor.digest not in self.present:
            raise VerificationError(
                "a blob is missing",
                found=f"no {_name(descriptor)}",
                where=str(self.folder),
                next_step="Copy the release again, evidence included (skopeo copy --all); on a "
                "device, which holds one model of several, verify it with --some-models",
            )
        return self.folder / "blobs" / _ALGORITHM / descriptor.digest.removeprefix("sha256:")

    def read(self, descriptor: Descriptor, *, largest_bytes: int) -> bytes:
        """Read a blob and prove that it is the one that was named.

        Raises:
            VerificationError: It is missing, too large, or other bytes.
        """
        path = self.path_of(descriptor)
        if descriptor.size > largest_bytes:
            raise VerificationError(
                "larger than it may be",
                expected=f"at most {largest_bytes} bytes",
                found=str(descriptor.size),
                where=f"{path} ({_name(descriptor)})",
            )
        data = b"".join(_pieces(path, descriptor))
        _check_digest(hashlib.sha256(data).hexdigest(), descriptor, path)
        return data

    def check(self, descriptor: Descriptor) -> Path:
        """Prove in bounded memory that a blob is the one that was named.

        Raises:
            VerificationError: It is missing, or other bytes.
        """
        path = self.path_of(descriptor)
        hasher = hashlib.sha256()
        for piece in _pieces(path, descriptor):
            hasher.update(piece)
        _check_digest(hasher.hexdigest(), descriptor, path)
        return path

    def read_record(self, descriptor: Descriptor, record_type: type[RecordT]) -> RecordT:
        """Read a manifest or an index.

        Raises:
            VerificationError: It is missing, other bytes, or not a valid record.
        """
        data = self.read(descriptor, largest_bytes=LARGEST_MANIFEST_BYTES)
        return _record(data, record_type, where=str(self.path_of(descriptor)))

    def read_entry(self, record_type: type[RecordT]) -> RecordT:
        """Read ``index.json``, whose digest nobody knows.

        Raises:
            VerificationError: It is too large or not a valid record.
        """
        path = self.folder / "index.json"
        return _record(_read_small(path), record_type, where=str(path))


def open_layout(folder: Path) -> Layout:
    """Check the outer form of a folder.

    Raises:
        VerificationError: It does not exist, holds anything that does not belong there, or has
            another version of the layout.
    """
    found = _kinds(folder)
    for name in sorted(found.keys() - _ENTRIES):
        raise _stranger(f"{folder}/{name}")
    for name in sorted(_ENTRIES - found.keys()):
        raise VerificationError(
            f"not a release: {name} is missing",
            where=str(folder),
            next_step="Give the folder that `edgeworthy release` wrote",
        )
    for name in sorted(_ENTRIES):
        _check_kind(folder / name, found[name], folder=name == "blobs")
    _check_version(folder / "oci-layout")
    return Layout(folder, frozenset(_blob_digests(folder / "blobs")))


def _stranger(where: str) -> VerificationError:
    return VerificationError(
        "a file that does not belong to a release",
        where=where,
        next_step="Give the folder that `edgeworthy release` wrote, or copy that folder again",
    )


def _blob_digests(blobs: Path) -> Iterator[str]:
    algorithms = _kinds(blobs)
    for name in sorted(algorithms.keys() - {_ALGORITHM}):
        raise _stranger(f"{blobs}/{name}")
    if _ALGORITHM not in algorithms:
        raise VerificationError("not a release: sha256 is missing", where=str(blobs))
    folder = blobs / _ALGORITHM
    _check_kind(folder, algorithms[_ALGORITHM], folder=True)
    for name, mode in sorted(_kinds(folder).items()):
        _check_kind(folder / name, mode, folder=False)
        digest = f"{_ALGORITHM}:{name}"
        if not DIGEST_PATTERN.fullmatch(digest):
            raise _stranger(f"{folder}/{name}")
        yield digest


def _kinds(folder: Path) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat(follow_symlinks=False).st_mode for entry in entries}
    except OSError as error:
        raise VerificationError(
            f"not a release: {error.strerror or error}",
            where=str(folder),
            next_step="Give the folder that `edgeworthy release` wrote",
        ) from error


def _check_kind(path: Path, mode: int, *, folder: bool) -> None:
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise VerificationError(
            "not what it should be",
            expected="a folder" if folder else "an ordinary file",
            found="a symbolic link" if stat.S_ISLNK(mode) else "something else",
            where=str(path),
        )


def _check_version(path: Path) -> None:
    layout = _record(_read_small(path), _LayoutFile, where=str(path))
    if layout.version != "1.0.0":
        raise VerificationError(
            "another version of the layout",
            expected="1.0.0",
            found=layout.version[:80],
            where=str(path),
        )


def _record(data: bytes, record_type: type[RecordT], *, where: str) -> RecordT:
    parsed = parse_strictly(data, where=where, largest_bytes=LARGEST_MANIFEST_BYTES)
    return convert_strictly(parsed, record_type, where=where)


def _read_small(path: Path) -> bytes:
    return b"".join(_open_pieces(path, LARGEST_MANIFEST_BYTES + 1))


def _pieces(path: Path, descriptor: Descriptor) -> Iterator[bytes]:
    count = 0
    for piece in _open_pieces(path, descriptor.size + 1):
        count += len(piece)
        yield piece
    if count != descriptor.size:
        found = f"{count}" if count < descriptor.size else "more"
        raise VerificationError(
            "wrong size",
            expected=f"{descriptor.size} bytes",
            found=found,
            where=f"{path} ({_name(descriptor)})",
        )


def _open_pieces(path: Path, most_bytes: int) -> Iterator[bytes]:
    """At most so many bytes of a file, in pieces."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            while most_bytes > 0 and (piece := stream.read(min(_CHUNK_BYTES, most_bytes))):
                most_bytes -= len(piece)
                yield piece
    except OSError as error:
        raise VerificationError(
            f"cannot be read: {error.strerror or error}", where=str(path)
        ) from error


def _check_digest(found: str, descriptor: Descriptor, path: Path) -> None:
    if f"sha256:{found}" != descriptor.digest:
        raise VerificationError(
            "the content was changed",
            expected=descriptor.digest,
            found=f"sha256:{found}",
            where=f"{path} ({_name(descriptor)})",
            next_step="Fetch the release again from its publisher",
        )


def _name(descriptor: Descriptor) -> str:
    return descriptor.title() or descriptor.digest[:80]
