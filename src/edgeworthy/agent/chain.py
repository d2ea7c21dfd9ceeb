"""How entries of the history hang together. Pure.

Rules:

1. Each entry names the digest of the one before, so none can be changed, left out or put in without
   breaking every later one. The state holds the newest digest: entries cut off at the end are
   noticed too.
2. An entry is made together with the step that it tells of and is part of the state until it stands
   in the file: so none is lost and none is told twice.
3. The chain is evidence against mistakes and damage, and against whoever cannot write to the state;
   it is no signature.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgeworthy.agent.events import Moment
from edgeworthy.documents.agent import AgentState, Slot
from edgeworthy.documents.agent_history import HistoryCheckpoint, HistoryEntry, HistoryEvent
from edgeworthy.documents.record import encode_document
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes

#: Longest reason that is kept.
LONGEST_REASON = 600


def digest_of(entry: HistoryEntry) -> str:
    """What the next entry calls this one."""
    return digest_bytes(encode_document(entry))


def with_entry(
    state: AgentState, now: Moment, event: HistoryEvent, slot: Slot | None, reason: str
) -> AgentState:
    """The state with one entry more (rule 2)."""
    entry = HistoryEntry(
        sequence=state.sequence + 1,
        previous=state.head,
        at=now.own_clock,
        signed_time=now.signed_time,
        boot=now.boot,
        event=event,
        product=slot.product if slot else "",
        version=slot.version if slot else "",
        release_counter=slot.release_counter if slot else 0,
        entry=slot.entry if slot else "",
        variant=slot.variant if slot else "",
        artifact=slot.artifact if slot else "",
        reason=reason[:LONGEST_REASON],
    )
    return msgspec.structs.replace(
        state,
        sequence=entry.sequence,
        head=digest_of(entry),
        unwritten=(*state.unwritten, entry),
    )


def check_chain(
    checkpoint: HistoryCheckpoint | None,
    entries: Sequence[HistoryEntry],
    digests: Sequence[str],
    *,
    where: str,
) -> tuple[int, str]:
    """Check that nothing was changed, left out or put in; returns sequence and digest of the end.

    Args:
        checkpoint: What stands for older entries; absent when all are there.
        entries: Oldest first.
        digests: Of their bytes as they stand in the file.
        where: For the message.

    Raises:
        VerificationError: The chain is broken; the message names the entry.
    """
    sequence, head = (checkpoint.sequence, checkpoint.head) if checkpoint else (0, "")
    for entry, digest in zip(entries, digests, strict=True):
        if (entry.sequence, entry.previous) != (sequence + 1, head):
            raise VerificationError(
                "the history is not the one that was written",
                expected=f"entry {sequence + 1} after {head[:19] or 'nothing'}",
                found=f"entry {entry.sequence} after {entry.previous[:19] or 'nothing'}",
                where=where,
            )
        sequence, head = entry.sequence, digest
    return sequence, head


def check_end(end: tuple[int, str], state: AgentState, *, where: str) -> None:
    """Check that the history ends where the state says, but for entries that it still holds.

    Raises:
        VerificationError: Entries were cut off, or it is the history of another device.
    """
    waiting = {(each.sequence - 1, each.previous) for each in state.unwritten}
    if end not in {(state.sequence, state.head), *waiting}:
        raise VerificationError(
            "the history does not end where the device's state says",
            expected=f"entry {state.sequence}, {state.head[:19]}",
            found=f"entry {end[0]}, {end[1][:19]}",
            where=where,
        )
