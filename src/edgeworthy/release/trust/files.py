"""Writing to a repository that others are reading.

Rules:

1. A reader sees the state before or the state after, never a mixture: blobs and documents first,
   then the versioned metadata that name them, then the timestamp, each by rename and fsync.
2. One writer at a time; a second one waits.
3. What a killed writer left unfinished has a hidden name and is swept by the next writer.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgeworthy.errors import TrustError
from edgeworthy.files import digest_file, storage_errors, sync_folder, write_whole
from edgeworthy.release.trust.layout import (
    BLOBS_FOLDER,
    METADATA_FOLDER,
    ROOT,
    STAGED_FOLDER,
    TARGETS_FOLDER,
    TIMESTAMP,
    blob_path,
)

_LOCK_NAME = ".lock"
_CHUNK_BYTES = 1 << 20


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only writer while the block runs (rules 2 and 3)."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(folder)
        yield
    finally:
        os.close(lock)


def write_metadata(
    folder: Path, files: Mapping[str, tuple[int, bytes]], *, root_first: bool
) -> None:
    """Write signed roles so that the last rename is the one that counts.

    Args:
        folder: The repository.
        files: Version and bytes by role.
        root_first: A new root goes before everything that only it can vouch for; otherwise it
            goes last, because everything holds under the old root too.

    Raises:
        StorageError: The disk is full, read-only or forbidden; readers still see the old state.
    """
    metadata = folder / METADATA_FOLDER
    order = [role for role in files if role not in (ROOT, TIMESTAMP)]
    if TIMESTAMP in files:
        order.append(TIMESTAMP)
    if ROOT in files:
        order.insert(0 if root_first else len(order), ROOT)
    for role in order:
        version, data = files[role]
        name = "timestamp.json" if role == TIMESTAMP else f"{version}.{role}.json"
        write_whole(metadata / name, data)


def write_target(folder: Path, path: str, data: bytes) -> None:
    """Write a small signed document under the name that its content gives it."""
    parent, _, name = path.rpartition("/")
    prefixed = f"{hashlib.sha256(data).hexdigest()}.{name}"
    write_whole(folder / TARGETS_FOLDER / parent / prefixed, data)


def read_target(folder: Path, path: str, sha256: str) -> bytes:
    """Read a small signed document back.

    Raises:
        TrustError: It is missing or other bytes.
    """
    parent, _, name = path.rpartition("/")
    file = folder / TARGETS_FOLDER / parent / f"{sha256}.{name}"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise TrustError("a signed document is missing", where=str(file)) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise TrustError("a signed document was changed", where=str(file))
    return data


def copy_blob(folder: Path, digest: str, source: Path) -> bool:
    """Copy a blob into the repository; false when it is there already.

    Raises:
        TrustError: The source does not have that digest.
        StorageError: The disk is full, read-only or forbidden.
    """
    target = folder / blob_path(digest)
    if target.is_file() and digest_file(target) == digest:
        return False
    incoming = target.with_name(f".{target.name}.incoming")
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        hasher = hashlib.sha256()
        with source.open("rb") as stream, incoming.open("wb") as copy:
            while piece := stream.read(_CHUNK_BYTES):
                hasher.update(piece)
                copy.write(piece)
            copy.flush()
            os.fchmod(copy.fileno(), 0o644)
            os.fsync(copy.fileno())
        if f"sha256:{hasher.hexdigest()}" != digest:
            incoming.unlink()
            raise TrustError("a blob changed while it was copied", where=str(source))
        incoming.replace(target)
        sync_folder(target.parent)
    return True


def _sweep(folder: Path) -> None:
    for part in (METADATA_FOLDER, TARGETS_FOLDER, BLOBS_FOLDER, STAGED_FOLDER):
        for path in (folder / part).rglob(".*"):
            if path.is_file():
                path.unlink()
