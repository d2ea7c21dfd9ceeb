"""The steps about what serves: proven again, crashed, failed, settled. Pure.

Rules:

1. What fails gives way to the release before, which stays a release that proved itself here. Where
   there is none, what is only slow goes on, and what is wrong stops.
2. A crash leads back only after `MOST_UNSETTLED_STARTS` in a row, and once until a release has
   settled: a device does not go to and fro.
3. Bytes that rotted are no fault of the release: it may be fetched again. So is a variant that was
   chosen for other software: the release may have another one for this.
"""

from __future__ import annotations

from edgeworthy.agent.events import (
    ChoiceKept,
    CurrentCrashed,
    CurrentFailed,
    CurrentProven,
    Event,
    Moment,
    Rest,
    Serve,
    SetPointers,
)
from edgeworthy.agent.steps import MOST_REFUSED, Transition, changed, noted, refusal
from edgeworthy.documents.agent import AgentState, Proof, Slot

#: How often the agent may start, or a worker crash, before a release has run for a while.
MOST_UNSETTLED_STARTS = 5


def about_current(state: AgentState, event: Event, now: Moment) -> Transition:
    """Where an event about the current release leads."""
    if state.current is None:
        return Transition(state)
    match event:
        case CurrentFailed():
            return fall_back(state, event, now)
        case CurrentCrashed(reason):
            return _crashed(state, state.current, reason, now)
        case CurrentProven():
            proof = Proof(entry=state.current.entry, boot=now.boot, fingerprint=now.fingerprint)
            return Transition(changed(state, proof=proof))
        case ChoiceKept():
            kept = changed(state.current, chosen_on=now.fingerprint)
            return Transition(changed(state, current=kept, trouble=""))
    settled = (state.unsettled_starts, state.fallen) == (0, False)
    return Transition(state if settled else changed(state, unsettled_starts=0, fallen=False))


def _crashed(state: AgentState, current: Slot, reason: str, now: Moment) -> Transition:
    """Serve again, or go back after too many crashes (rule 2)."""
    crashed = changed(state, unsettled_starts=state.unsettled_starts + 1)
    crashed = noted(crashed, now, "crashed", current, reason)
    worn_out = crashed.unsettled_starts > MOST_UNSETTLED_STARTS
    if worn_out and crashed.previous is not None and not crashed.fallen:
        return fall_back(crashed, CurrentFailed(reason), now)
    return Transition(crashed, (Serve(current, proven=True),))


def fall_back(state: AgentState, failure: CurrentFailed, now: Moment) -> Transition:
    """Go to the release before; where there is none, what is only slow goes on (rule 1)."""
    failed, previous = state.current, state.previous
    if failed is None:
        return Transition(state)
    if previous is None and failure.usable:
        degraded = noted(state, now, "degraded", failed, failure.reason)
        proof = Proof(entry=failed.entry, boot=now.boot, fingerprint=now.fingerprint)
        return Transition(changed(degraded, proof=proof), (Serve(failed, proven=True),))
    refused = state.refused
    if not failure.damaged and failed.chosen_on in {"", now.fingerprint}:
        refused = (*refused, refusal(failed, failure.reason, now.fingerprint))[-MOST_REFUSED:]
    fallen = changed(
        state,
        current=previous,
        previous=None,
        proof=None,
        refused=refused,
        unsettled_starts=0,
        fallen=previous is not None,
    )
    fallen = noted(fallen, now, "fell-back" if previous else "lost", failed, failure.reason)
    pointers = SetPointers(previous, None)
    if previous is None:
        return Transition(fallen, (pointers, Rest()))
    return Transition(fallen, (pointers, Serve(previous, proven=False, why="fallback")))
