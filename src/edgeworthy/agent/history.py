"""The history's file: read, checked, continued after any power cut, bounded.

Rules:

1. One entry a line, appended and synced; a line that a power cut tore is cut off before the next
   one, and its entry, which is still in the state, is written again.
2. The file is bounded: when it has grown too large, its older half makes room for a checkpoint that
   carries their last digest on, in one rename.
3. A file that is damaged in the middle is put aside whole, and a checkpoint says so; the agent goes
   on, because a diary must not stop a device.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from edgeworthy.agent.chain import check_chain, check_end
from edgeworthy.documents.agent import AgentState
from edgeworthy.documents.agent_history import HistoryCheckpoint, HistoryEntry
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import InputError, VerificationError
from edgeworthy.files import digest_bytes, storage_errors, write_whole

#: The file is cut when it has grown beyond this.
LARGEST_BYTES = 512 << 10


@dataclass(frozen=True)
class HistoryContent:
    """What the file says.

    Attributes:
        checkpoint: What stands for older entries.
        entries: Oldest first.
        end: Sequence and digest of the last one, its chain checked.
        whole_bytes: Where the last whole line ends.
    """

    checkpoint: HistoryCheckpoint | None
    entries: tuple[HistoryEntry, ...]
    end: tuple[int, str]
    whole_bytes: int


def read_history(path: Path) -> HistoryContent:
    """Read the file and check its chain; a torn last line is left out.

    Raises:
        VerificationError: A whole line is not what was written, or one is missing.
        InputError: The file cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return HistoryContent(None, (), (0, ""), 0)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    whole = data.rfind(b"\n") + 1
    lines = data[:whole].splitlines()
    checkpoint = None
    try:
        if lines and _kind(lines[0]) == HistoryCheckpoint.KIND:
            checkpoint = decode_document(lines.pop(0), HistoryCheckpoint, where=str(path))
        entries = tuple(decode_document(line, HistoryEntry, where=str(path)) for line in lines)
    except InputError as error:
        raise VerificationError(
            "the history holds a line that nobody wrote",
            where=str(path),
            next_step="The agent puts it aside and goes on",
        ) from error
    digests = [digest_bytes(line) for line in lines]
    end = check_chain(checkpoint, entries, digests, where=str(path))
    return HistoryContent(checkpoint, entries, end, whole)


def verified_history(path: Path, state: AgentState) -> HistoryContent:
    """Read the history and check its chain and its end; entries that wait are added.

    Raises:
        VerificationError: It is not the one that was written.
        InputError: The file cannot be read.
    """
    content = read_history(path)
    check_end(content.end, state, where=str(path))
    waiting = tuple(each for each in state.unwritten if each.sequence > content.end[0])
    entries = (*content.entries, *waiting)
    return HistoryContent(content.checkpoint, entries, content.end, content.whole_bytes)


def end_of_history(path: Path) -> tuple[int, str]:
    """Where the chain in the file ends; 0 and nothing when there is none that holds."""
    try:
        return read_history(path).end
    except (InputError, VerificationError):
        return 0, ""


def settle_history(path: Path, state: AgentState, *, largest_bytes: int = LARGEST_BYTES) -> None:
    """Bring what the state still holds into the file (rules 1 to 3).

    Doing it twice changes nothing the second time.

    Raises:
        StorageError: The disk is full, read-only or forbidden; the entries stay in the state.
    """
    try:
        content = read_history(path)
        check_end(content.end, state, where=str(path))
    except VerificationError as error:
        _put_aside(path, state, str(error))
        return
    waiting = [each for each in state.unwritten if each.sequence > content.end[0]]
    if not waiting:
        return
    lines = b"".join(encode_document(each) + b"\n" for each in waiting)
    if content.whole_bytes + len(lines) > largest_bytes:
        _rotate(path, content, waiting)
        return
    with storage_errors(path), _opened(path) as stream:
        stream.truncate(content.whole_bytes)
        stream.seek(content.whole_bytes)
        stream.write(lines)
        stream.flush()
        os.fsync(stream.fileno())


def _rotate(path: Path, content: HistoryContent, waiting: Sequence[HistoryEntry]) -> None:
    entries = (*content.entries, *waiting)
    kept = entries[len(entries) // 2 :]
    dropped = entries[: len(entries) // 2]
    before = content.checkpoint or HistoryCheckpoint(sequence=0, head="")
    checkpoint = msgspec.structs.replace(
        before,
        sequence=kept[0].sequence - 1,
        head=kept[0].previous,
        since=before.since or (dropped[0].at if dropped else ""),
        until=dropped[-1].at if dropped else before.until,
        committed_count=before.committed_count + _count(dropped, "committed"),
        rolled_back_count=before.rolled_back_count + _count(dropped, "rolled-back"),
    )
    _write(path, checkpoint, kept)


def _put_aside(path: Path, state: AgentState, damage: str) -> None:
    """Keep the damaged file beside, the newest one only, and begin again (rule 3)."""
    with storage_errors(path):
        if path.exists():
            path.replace(path.with_name(f"{path.name}.damaged"))
    first = state.unwritten[0] if state.unwritten else None
    checkpoint = HistoryCheckpoint(
        sequence=first.sequence - 1 if first else state.sequence,
        head=first.previous if first else state.head,
        damage=damage,
    )
    _write(path, checkpoint, state.unwritten)


def _write(path: Path, checkpoint: HistoryCheckpoint, entries: Sequence[HistoryEntry]) -> None:
    lines = [encode_document(checkpoint), *(encode_document(each) for each in entries)]
    write_whole(path, b"".join(line + b"\n" for line in lines))


def _opened(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    return os.fdopen(descriptor, "r+b")


def _count(entries: Sequence[HistoryEntry], event: str) -> int:
    return sum(each.event == event for each in entries)


def _kind(line: bytes) -> str:
    try:
        found = msgspec.json.decode(line, type=dict[str, object]).get("kind", "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return str(found)
