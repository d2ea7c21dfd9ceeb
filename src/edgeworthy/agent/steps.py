"""What the steps of the state machine are made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from edgeworthy.agent.chain import LONGEST_REASON, with_entry
from edgeworthy.agent.events import Effect, Moment
from edgeworthy.documents.agent import AgentState, RefusedRelease, Slot
from edgeworthy.documents.agent_history import HistoryEvent

StructT = TypeVar("StructT", bound=msgspec.Struct)

#: How many refused releases are remembered.
MOST_REFUSED = 16


@dataclass(frozen=True)
class Transition:
    """What becomes of an event.

    Attributes:
        state: To be written whole before anything else is done.
        effects: What to do then, in this order.
    """

    state: AgentState
    effects: tuple[Effect, ...] = field(default=())


def changed(record: StructT, **changes: Any) -> StructT:  # noqa: ANN401 - fields of any type
    """The record with other fields."""
    return msgspec.structs.replace(record, **changes)


def noted(
    state: AgentState, now: Moment, event: HistoryEvent, slot: Slot | None, reason: str = ""
) -> AgentState:
    """The state with one entry more of the history."""
    return with_entry(state, now, event, slot, reason)


def refusal(slot: Slot, reason: str, fingerprint: str, policy: str = "") -> RefusedRelease:
    """Why a release is not tried again, and under which circumstances."""
    return RefusedRelease(
        entry=slot.entry,
        release_counter=slot.release_counter,
        fingerprint=fingerprint,
        policy=policy,
        reason=reason[:LONGEST_REASON],
    )
