"""What ran on a device, when and why: the lines of its history."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.record import Document

HistoryEvent = Literal[
    "enrolled",
    "started",
    "stopped",
    "offered",
    "refused",
    "committed",
    "rolled-back",
    "fell-back",
    "restored",
    "lost",
    "degraded",
    "crashed",
]


class HistoryEntry(Document, frozen=True, kw_only=True):
    """One thing that happened on a device.

    Attributes:
        sequence: Counts entries from 1, without gaps.
        previous: Digest of the entry before; empty for the first.
        at: What the device's clock said, RFC 3339, UTC; it may be wrong.
        signed_time: Latest signed time that the device had seen; empty before the first.
        boot: Boot of the machine, as the kernel names it.
        event: What happened.
        product: Of the release that it happened to; empty where there is none.
        version: Of that release.
        release_counter: Of that release; 0 where there is none.
        entry: Digest of that release's OCI image index.
        variant: What ran of it.
        artifact: Digest of the file that ran.
        reason: Why.
    """

    KIND: ClassVar[str] = "agent-history-entry"

    sequence: int
    previous: str
    at: str
    signed_time: str
    boot: str
    event: HistoryEvent
    product: str = ""
    version: str = ""
    release_counter: int = 0
    entry: str = ""
    variant: str = ""
    artifact: str = ""
    reason: str = ""


class HistoryCheckpoint(Document, frozen=True, kw_only=True):
    """Stands for entries that made room: the chain goes on from their last digest.

    Attributes:
        sequence: The last entry that it stands for.
        head: Its digest.
        since: When the first entry was written, as the device's clock said.
        until: When the last one was.
        committed_count: How many releases became current in that time.
        rolled_back_count: How many did not prove themselves.
        damage: Why entries are missing that should be there; empty when none is.
    """

    KIND: ClassVar[str] = "agent-history-checkpoint"

    sequence: int
    head: str
    since: str = ""
    until: str = ""
    committed_count: int = 0
    rolled_back_count: int = 0
    damage: str = ""
