"""Blobs by their digest, over bad networks and from servers that nobody trusts.

Rules:

1. A blob is its digest: whatever a source sends, only bytes with that digest get the blob's name,
   and never more than the size that was signed are read.
2. What arrived is kept: a transfer goes on where it stopped, after a broken connection and after a
   power cut, at the same source or at another one. What counts as arrived is what was synced.
3. A source that sends less, more, slower than :class:`Patience` allows or something else is left
   for the next one; one that sent other bytes is not asked for this blob again.
4. A blob that is there already costs nothing but reading it once.
5. Attempts are bounded, with jitter and Retry-After; when every source says that there is no such
   blob, there is no further attempt.
6. Memory is bounded whatever the size. Space is checked before the first byte.
7. One process at a time fetches into a store: a second one would write into files that the first
   one has proven.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edgeworthy.agent.pacing import Patience, SpeedWindow, wait_seconds
from edgeworthy.agent.sources import Answer, Source, SourceProblem
from edgeworthy.errors import StorageError, TransferError
from edgeworthy.files import digest_file, storage_errors, sync_folder, write_whole
from edgeworthy.release.trust.layout import blob_path

_CHUNK_BYTES = 1 << 20
_LOCK_NAME = ".lock"
#: How much may have to be fetched again after a power cut.
SYNC_EVERY_BYTES = 8 << 20
#: What is left free on the disk for everything else.
RESERVE_BYTES = 8 << 20


@dataclass(frozen=True)
class World:
    """What a transfer needs of its surroundings.

    Attributes:
        monotonic: Seconds of a clock that never goes back.
        sleep: Waits so many seconds.
        random: Evenly drawn numbers in [0, 1).
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]


class _Record(msgspec.Struct, frozen=True):
    """What is known of a partial file (rule 2)."""

    synced_bytes: int
    source: str
    tag: str


@dataclass
class _Partial:
    """A blob that is not whole yet."""

    path: Path
    size_bytes: int
    source: str = ""
    tag: str = ""
    length: int = 0
    mixed: bool = False
    hasher: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def record_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def resume(self) -> None:
        """Take up what was synced, hashing it once more."""
        record = self._record()
        if record is None or not self.path.is_file():
            self.discard()
            return
        wanted = min(record.synced_bytes, self.path.stat().st_size, self.size_bytes)
        with storage_errors(self.path):
            os.truncate(self.path, wanted)
        self.source, self.tag, self.length = record.source, record.tag, wanted
        self.hasher = hashlib.sha256()
        try:
            with self.path.open("rb") as stream:
                while piece := stream.read(_CHUNK_BYTES):
                    self.hasher.update(piece)
        except OSError:  # a worn sector: what cannot be read did not arrive
            self.discard()

    def restart(self) -> None:
        """Begin again at the first byte."""
        _remove(self.path)
        self.length, self.tag, self.mixed = 0, "", False
        self.hasher = hashlib.sha256()

    def discard(self) -> None:
        """Forget what arrived."""
        self.restart()
        _remove(self.record_path)

    def note(self) -> None:
        """Say what was synced."""
        record = _Record(self.length, self.source, self.tag)
        write_whole(self.record_path, msgspec.json.encode(record))

    def _record(self) -> _Record | None:
        try:
            return msgspec.json.decode(self.record_path.read_bytes(), type=_Record)
        except (OSError, msgspec.DecodeError):
            return None


@dataclass(frozen=True)
class Transport:
    """Fetches from several sources.

    Attributes:
        sources: Where to ask, in this order; none of them is trusted.
        patience: What a transfer may cost.
        world: Clock, waiting and chance.
    """

    sources: Sequence[Source]
    patience: Patience
    world: World

    def read(self, path: str, *, largest_bytes: int, source: Source) -> bytes:
        """Read a small file whole.

        Args:
            path: Inside the repository.
            largest_bytes: More than this is refused.
            source: Whom to ask.

        Raises:
            SourceProblem: The source did not give it.
        """
        window = SpeedWindow(self.patience, self.world.monotonic())
        data = bytearray()
        with source.open(path) as answer:
            for piece in answer.pieces:
                data += piece
                if len(data) > largest_bytes:
                    raise SourceProblem(f"more than the {largest_bytes} bytes that are allowed")
                if window.too_slow(self.world.monotonic(), len(piece)):
                    raise SourceProblem("slower than the slowest speed that is allowed")
            if answer.total_bytes is not None and len(data) < answer.total_bytes:
                raise SourceProblem("the connection ended early")
        return bytes(data)

    def fetch_blob(self, digest: str, size_bytes: int, store: Path) -> int:
        """Bring a blob into a folder.

        Args:
            digest: Its digest.
            size_bytes: Its signed size.
            store: The folder; blobs go to ``blobs/sha256`` below it.

        Returns:
            Bytes that came over the network; 0 when the blob was there.

        Raises:
            TransferError: No source gave it; what arrived is kept for the next attempt.
            StorageError: The disk is full, read-only or forbidden.
        """
        final = store / blob_path(digest)
        if _holds(final, digest, size_bytes):
            return 0
        with storage_errors(final):
            final.parent.mkdir(parents=True, exist_ok=True)
        with _alone(final.parent / _LOCK_NAME):
            partial = _Partial(final.with_name(f".{final.name}.partial"), size_bytes)
            partial.resume()
            _check_space(final.parent, size_bytes - partial.length)
            received = self._fetch(digest, partial)
            with storage_errors(final):
                partial.path.replace(final)
                _remove(partial.record_path)
                sync_folder(final.parent)
        return received

    def _fetch(self, digest: str, partial: _Partial) -> int:
        received = 0
        attempt = 0
        left = list(self.sources)
        reason = "there is no source"
        while left and attempt < self.patience.attempts:
            source = left[attempt % len(left)]
            before = received
            try:
                for size in self._continue(source, digest, partial):
                    received += size
                if _is_right(partial, digest):
                    return received
                reason = f"{source.name} sent other bytes than were signed"
                if not partial.mixed:
                    left.remove(source)
                partial.discard()
                retry_after = 0.0
            except SourceProblem as problem:
                reason = f"{source.name}: {problem.reason}"
                retry_after = problem.retry_after_seconds
                if problem.gone:
                    left.remove(source)
            attempt = 1 if received - before >= self.patience.notable_bytes else attempt + 1
            if left and attempt < self.patience.attempts:
                self.world.sleep(
                    wait_seconds(
                        attempt,
                        self.patience,
                        self.world.random,
                        retry_after_seconds=retry_after,
                    )
                )
        raise TransferError(
            f"the blob {digest} cannot be fetched: {reason}",
            expected=f"{partial.size_bytes} bytes",
            found=f"{partial.length} so far",
            next_step="What arrived is kept; the next attempt goes on from there",
        )

    def _continue(self, source: Source, digest: str, partial: _Partial) -> Iterator[int]:
        """Fetch what is missing; yields the size of each piece."""
        if partial.length == partial.size_bytes > 0:
            return
        tag = partial.tag if partial.source == source.name else ""
        window = SpeedWindow(self.patience, self.world.monotonic())
        with source.open(blob_path(digest), offset=partial.length, tag=tag) as answer:
            _take_up(partial, answer, source)
            with storage_errors(partial.path), partial.path.open("ab") as stream:
                unsynced = 0
                try:
                    for piece in answer.pieces:
                        if partial.length + len(piece) > partial.size_bytes:
                            raise SourceProblem("more bytes than were signed", gone=True)
                        stream.write(piece)
                        partial.hasher.update(piece)
                        partial.length += len(piece)
                        unsynced += len(piece)
                        yield len(piece)
                        if window.too_slow(self.world.monotonic(), len(piece)):
                            raise SourceProblem("slower than the slowest speed that is allowed")
                        if unsynced >= SYNC_EVERY_BYTES:
                            _sync(stream.fileno(), stream.flush, partial)
                            unsynced = 0
                finally:
                    _sync(stream.fileno(), stream.flush, partial)
        if partial.length < partial.size_bytes:
            raise SourceProblem("the connection ended early")


def _take_up(partial: _Partial, answer: Answer, source: Source) -> None:
    if answer.total_bytes is not None and answer.total_bytes != partial.size_bytes:
        raise SourceProblem("a file of another size than was signed", gone=True)
    if answer.offset != partial.length:
        partial.restart()
    partial.mixed = partial.length > 0 and partial.source != source.name
    partial.source, partial.tag = source.name, answer.tag


def _sync(descriptor: int, flush: Callable[[], None], partial: _Partial) -> None:
    flush()
    os.fsync(descriptor)
    if partial.length < partial.size_bytes:  # what is whole gets its name next
        partial.note()


@contextmanager
def _alone(lock_path: Path) -> Iterator[None]:
    """Rule 7."""
    with storage_errors(lock_path):
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise TransferError(
            "another process fetches into this store",
            where=str(lock_path.parent),
            next_step="Wait for it; two agents on one store take turns",
        ) from error
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    with storage_errors(path):
        if path.exists():
            path.unlink()


def _is_right(partial: _Partial, digest: str) -> bool:
    if partial.size_bytes == 0:
        with storage_errors(partial.path):
            partial.path.touch()
    return f"sha256:{partial.hasher.hexdigest()}" == digest


def _holds(path: Path, digest: str, size_bytes: int) -> bool:
    """Whether the blob is there and whole; one that cannot be read is fetched again."""
    try:
        return path.stat().st_size == size_bytes and digest_file(path) == digest
    except OSError:
        return False


def _check_space(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed_bytes + RESERVE_BYTES > free:
        raise StorageError(
            "not enough space for a download",
            expected=f"{needed_bytes + RESERVE_BYTES} bytes free",
            found=f"{free}",
            where=str(folder),
            next_step="Free some space; nothing was fetched",
        )
