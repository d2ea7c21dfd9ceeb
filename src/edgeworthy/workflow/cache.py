"""The content-addressed cache under ``.edgeworthy/``.

::

    .edgeworthy/
    ├── objects/ab/cdef…        bytes, named by their sha256
    ├── steps/STEP/KEY.json     what a step made from inputs with that key
    ├── last/STEP.json          the step's newest record, to say what changed
    ├── fingerprints.json       digests of input files by size and modification time
    └── lock                    held by the one build that runs

Rules:

1. A step is done again when, and only when, its key has no record, an object of the record is
   missing or damaged, or the record has expired.
2. Everything is written whole: a build that is killed leaves finished steps and no half files.
3. An object's bytes are checked against its name whenever they are read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from edgeworthy.documents.record import Record, canonical_json
from edgeworthy.errors import StorageError
from edgeworthy.files import (
    digest_bytes,
    digest_file,
    remove_leftovers,
    storage_errors,
    write_whole,
)

CACHE_FOLDER_NAME = ".edgeworthy"


class StepRecord(Record, frozen=True, kw_only=True):
    """What a step made.

    Attributes:
        step: Identity of the step, for example ``evaluate/host/int8-u8s8``.
        key: Digest of the inputs.
        inputs: Digest or value of each input, by a name for people.
        outputs: Digest of each output object, by name.
        expires_at: RFC 3339, UTC; absent for what does not age.
    """

    step: str
    key: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    expires_at: str | None = None


class _Fingerprint(msgspec.Struct, frozen=True):
    size_bytes: int
    modified_ns: int
    digest: str


def step_key(step: str, inputs: Mapping[str, str]) -> str:
    """The key of a step: a digest over its identity and its inputs."""
    return digest_bytes(canonical_json({"inputs": dict(inputs), "step": step}))


class Cache:
    """The cache of one project.

    Args:
        folder: The project's ``.edgeworthy`` folder; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fingerprints = self._read_fingerprints()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project's lock, and clear away what a killed build left.

        Raises:
            StorageError: Another build of this project is running.
        """
        path = self.folder / "lock"
        with storage_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take_lock(descriptor, path)
            remove_leftovers(self.folder, below=True)
            yield
        finally:
            os.close(descriptor)

    def put(self, data: bytes) -> str:
        """Store bytes; returns their digest."""
        digest = digest_bytes(data)
        path = self.path_of(digest)
        if not path.exists():
            write_whole(path, data)
        return digest

    def path_of(self, digest: str) -> Path:
        """Where the object with this digest lies, or would lie."""
        hexadecimal = digest.removeprefix("sha256:")
        return self.folder / "objects" / hexadecimal[:2] / hexadecimal[2:]

    def get(self, digest: str) -> bytes:
        """The bytes of an object.

        Raises:
            StorageError: It is missing or its bytes are not those that were stored.
        """
        path = self.path_of(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot be read: {error.strerror}", where=str(path)) from error
        if digest_bytes(data) != digest:
            raise StorageError(
                "damaged object in the cache",
                where=str(path),
                next_step="Delete that file and build again",
            )
        return data

    def holds(self, digest: str) -> bool:
        """Whether the object is there and undamaged; a damaged one is removed."""
        path = self.path_of(digest)
        if not path.is_file():
            return False
        if self.fingerprint(path) == digest:
            return True
        path.unlink(missing_ok=True)
        return False

    def find(self, step: str, key: str) -> StepRecord | None:
        """The record of a step with this key, if there is a readable one."""
        return self._read_record(self._record_path(step, key))

    def last(self, step: str) -> StepRecord | None:
        """The newest record of a step, whatever its key."""
        return self._read_record(self.folder / "last" / f"{_file_name(step)}.json")

    def store(self, record: StepRecord) -> None:
        """Keep what a step made."""
        data = canonical_json(record)
        write_whole(self._record_path(record.step, record.key), data)
        write_whole(self.folder / "last" / f"{_file_name(record.step)}.json", data)

    def fingerprint(self, path: Path) -> str:
        """Digest of a file, remembered by its size and modification time.

        A file that was changed within the last clock tick before it was read is read again next
        time, as its time cannot tell.
        """
        status = path.stat()
        name = str(path.resolve())
        known = self._fingerprints.get(name)
        if known and (known.size_bytes, known.modified_ns) == (status.st_size, status.st_mtime_ns):
            return known.digest
        digest = digest_file(path)
        self._fingerprints[name] = _Fingerprint(status.st_size, status.st_mtime_ns, digest)
        return digest

    def save_fingerprints(self) -> None:
        """Write down the digests of files that were read."""
        recent_ns = 2_000_000_000
        settled = {
            name: known
            for name, known in self._fingerprints.items()
            if datetime.now().timestamp() * 1e9 - known.modified_ns > recent_ns  # noqa: DTZ005 - compared with a file's time only
        }
        data = msgspec.json.encode(settled, order="sorted")
        path = self.folder / "fingerprints.json"
        if not path.is_file() or path.read_bytes() != data:
            write_whole(path, data)

    def _read_fingerprints(self) -> dict[str, _Fingerprint]:
        try:
            data = (self.folder / "fingerprints.json").read_bytes()
            return msgspec.json.decode(data, type=dict[str, _Fingerprint])
        except (OSError, msgspec.DecodeError):
            return {}

    def _record_path(self, step: str, key: str) -> Path:
        return self.folder / "steps" / _file_name(step) / f"{key.removeprefix('sha256:')}.json"

    def _read_record(self, path: Path) -> StepRecord | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=StepRecord)
        except (OSError, msgspec.DecodeError):
            return None


def _file_name(step: str) -> str:
    return step.replace("/", "--")


def _take_lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StorageError(
            "another build of this project is running",
            where=str(path),
            next_step="Wait for it to finish, or stop it",
        ) from error
