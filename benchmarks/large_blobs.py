"""Blobs around the sizes at which 32-bit arithmetic breaks: 2 GiB and 4 GiB, minus and plus one.

Method: a sparse file of each size in a folder source; it is fetched once, broken off in the middle
and resumed; the digest of what arrived is compared, and the peak memory of the process is printed.
Nothing but the digest decides, so a byte too few or too many would show. Writes go to the folder
that is given (default: memory), 4 GiB at most at a time.

Run: ``python benchmarks/large_blobs.py [FOLDER]``
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import Answer, FolderSource, SourceProblem
from edgeworthy.agent.transport import Transport, World
from edgeworthy.release.trust.layout import blob_path

GIB = 1 << 30
SIZES = tuple(size + extra for size in (2 * GIB, 4 * GIB) for extra in (-1, 0, 1))
_CHUNK = bytes(1 << 20)


@dataclass
class BreaksOnce:
    """A folder whose first transfer ends in the middle."""

    source: FolderSource
    broken: bool = False
    name: str = "breaks once"

    @contextmanager
    def open(self, path: str, *, offset: int = 0, tag: str = "") -> Iterator[Answer]:
        """The folder's answer, cut at half its size the first time."""
        with self.source.open(path, offset=offset, tag=tag) as answer:
            if self.broken:
                yield answer
            else:
                self.broken = True
                half = (answer.total_bytes or 0) // 2
                yield Answer(answer.offset, answer.total_bytes, answer.tag, _cut(answer, half))


def _cut(answer: Answer, size_bytes: int) -> Iterator[bytes]:
    sent = 0
    for piece in answer.pieces:
        yield piece
        sent += len(piece)
        if sent >= size_bytes:
            raise SourceProblem("broken off on purpose")


def digest_of_zeros(size_bytes: int) -> str:
    """The digest of so many zero bytes."""
    hasher = hashlib.sha256()
    for _ in range(size_bytes >> 20):
        hasher.update(_CHUNK)
    hasher.update(_CHUNK[: size_bytes & ((1 << 20) - 1)])
    return f"sha256:{hasher.hexdigest()}"


def main(arguments: list[str]) -> int:
    """Print the table."""
    place = Path(arguments[0]) if arguments else Path("/dev/shm")  # noqa: S108 - a new folder in it
    world = World(time.monotonic, lambda _seconds: None, lambda: 0.0)
    print("| size in bytes | fetched, with one resume | digest | seconds | peak memory MiB |")
    print("|---|---|---|---|---|")
    for size_bytes in SIZES:
        digest = digest_of_zeros(size_bytes)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            stick = Path(folder) / "stick" / blob_path(digest)
            stick.parent.mkdir(parents=True)
            with stick.open("wb") as stream:
                os.truncate(stream.fileno(), size_bytes)
            source = BreaksOnce(FolderSource(Path(folder) / "stick"))
            transport = Transport([source], Patience(attempts=3), world)
            began = time.monotonic()
            received = transport.fetch_blob(digest, size_bytes, Path(folder) / "store")
            seconds = time.monotonic() - began
            right = (Path(folder) / "store" / blob_path(digest)).stat().st_size == size_bytes
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        verdict = "right" if right and received == size_bytes else "WRONG"
        print(f"| {size_bytes} | {received} | {verdict} | {seconds:.0f} | {peak:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
