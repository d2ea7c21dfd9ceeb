"""Files that are written whole or not at all, and their digests.

Rules:

1. A reader sees the old file or the new one, never a part: temporary file in the same folder,
   fsync, rename, fsync of the folder.
2. A digest is ``sha256:`` and 64 hexadecimal digits, taken in bounded memory.
3. A full, read-only or forbidden disk is a :class:`StorageError` that names the path; no
   temporary file stays behind.
4. What a killed process leaves has a name of its own, so that it can be told and cleared away.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.errors import StorageError

_CHUNK_BYTES = 1 << 20
_PARTIAL = ".partial"
_REASONS = {
    errno.ENOSPC: ("no space is left on the disk", "Free some space and run the command again"),
    errno.EDQUOT: ("the disk quota is used up", "Free some space and run the command again"),
    errno.EROFS: ("the file system is read-only", "Choose a folder that can be written to"),
    errno.EACCES: ("permission denied", "Choose a folder that you may write to"),
    errno.EPERM: ("permission denied", "Choose a folder that you may write to"),
}


def digest_bytes(data: bytes) -> str:
    """The sha256 digest of some bytes.

    >>> digest_bytes(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_file(path: Path) -> str:
    """The sha256 digest of a file's content, read in pieces of 1 MiB."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write ``path`` into :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        problem, next_step = _REASONS.get(
            error.errno or 0, (error.strerror or str(error), "Check the path and try again")
        )
        raise StorageError(
            f"cannot be written: {problem}", where=str(path), next_step=next_step
        ) from error


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write ``data`` to ``path`` so that a reader sees all of it or none of it.

    Args:
        path: Where to; missing parent folders are made.
        data: The whole content.
        mode: Permission bits of the new file.

    Raises:
        StorageError: The disk is full, read-only or forbidden; ``path`` is as it was before.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent
        )
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


@contextlib.contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; on success it takes the place of ``path`` in one rename.

    An existing folder at ``path`` is moved aside first and removed after, so that a reader who
    comes between finds no folder rather than a mixture of two.

    Raises:
        StorageError: The disk is full, read-only or forbidden; ``path`` is as it was before.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent))
        try:
            yield fresh
            _sync_tree(fresh)
            fresh.chmod(0o755)
            _swap_folder(fresh, path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        sync_folder(path.parent)


def remove_leftovers(folder: Path, *, below: bool = False) -> None:
    """Clear away what killed writers left; nobody may be writing there meanwhile.

    Args:
        folder: Where files or folders were written; may not exist.
        below: Also in the folders below it.
    """
    pattern = f".*{_PARTIAL}"
    for path in list(folder.rglob(pattern) if below else folder.glob(pattern)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _sync_tree(folder: Path) -> None:
    for root, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(Path(root) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(root))


def _swap_folder(fresh: Path, path: Path) -> None:
    if not path.exists():
        fresh.rename(path)
        return
    aside = fresh.with_suffix(f".old{_PARTIAL}")
    path.rename(aside)
    try:
        fresh.rename(path)
    except BaseException:
        aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)
