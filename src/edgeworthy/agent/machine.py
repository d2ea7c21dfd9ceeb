"""Where an update goes next. Pure: state, event, moment in; state and effects out.

::

    idle -> downloading -> verified -> staged -> self-test -> committed -> idle
                 |                        |          |
                 +-> rolled-back (refused)|          +-> rolled-back -> idle
                 +-> idle (later)         +-> idle (later)

Rules:

1. The state is written whole before its effects are begun, and every effect may be done twice: so
   power may fail between any two instructions, and :class:`~edgeworthy.agent.events.Started` asks
   for what was left.
2. The current release changes in one place (`_commit`), after the candidate proved itself here; the
   one before stays beside it. Falling back is the only other change, and goes to that one.
3. What did not prove itself on this machine and software is not tried again on them; a publication
   that a person took back is not tried again at all. Bytes that rotted are fetched again.
4. Every loop is counted: a candidate that the device restarts under is given up after
   `MOST_ATTEMPTS`, a current release after `MOST_UNSETTLED_STARTS`; and a device that starts again
   and again falls back once until a release has settled.
5. A variant is chosen for a machine and its software. On others the choice is made anew: another
   variant of the current release is a candidate like any other.
6. Time appears in no condition: no clock can take a working release away.
"""

from __future__ import annotations

from edgeworthy.agent.current_steps import MOST_UNSETTLED_STARTS, about_current, fall_back
from edgeworthy.agent.events import (
    CheckFiles,
    ChoiceKept,
    Collect,
    CurrentCrashed,
    CurrentFailed,
    CurrentProven,
    Discard,
    Effect,
    Event,
    Fetch,
    Finished,
    Intact,
    LookEnded,
    LookFailed,
    Moment,
    Offered,
    Postponed,
    Proven,
    Refused,
    RollbackAsked,
    SelfTestFailed,
    SelfTestPassed,
    Serve,
    SetPointers,
    Settled,
    Stage,
    Staged,
    Started,
    Stopped,
    TestCandidate,
)
from edgeworthy.agent.steps import MOST_REFUSED, Transition, changed, noted, refusal
from edgeworthy.documents.agent import AgentState, Candidate, Proof, Slot
from edgeworthy.documents.agent_history import HistoryEvent
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.errors import UsageError

#: How often the self-test of a candidate may be begun before the candidate is given up.
MOST_ATTEMPTS = 3
#: How often a download may be taken up again before the next look begins it anew.
MOST_DOWNLOADS = 28


def step(state: AgentState, event: Event, now: Moment) -> Transition:
    """Where an event leads.

    Raises:
        UsageError: A rollback was asked for and there is nothing to go back to.
    """
    reached: Transition
    match event:
        case Started(serves):
            reached = _started(state, now) if serves else _resumed(state, now)
        case Stopped(reason):
            reached = Transition(noted(state, now, "stopped", state.current, reason))
        case CurrentProven() | CurrentFailed() | CurrentCrashed() | Settled() | ChoiceKept():
            reached = about_current(state, event, now)
        case LookFailed(reason):
            reached = Transition(changed(state, trouble=reason))
        case LookEnded():
            reached = Transition(changed(state, trouble=""))
        case Offered(release, policy, variant) if state.phase == "idle":
            candidate = Candidate(release=release, policy=policy, variant=variant)
            reached = _offered(changed(state, trouble=""), candidate, release, now)
        case RollbackAsked(reason):
            reached = _rollback(state, reason, now)
        case _:
            reached = _about_candidate(state, event, now)
    return reached


def pending(state: AgentState) -> tuple[Effect, ...]:
    """What a phase is about: its effects, asked for when it begins and after each interruption."""
    candidate = state.candidate or Candidate()
    slot = candidate.slot
    effects: tuple[Effect, ...]
    match state.phase:
        case "downloading" if candidate.release is not None:
            effects = (Fetch(candidate.release),)
        case "verified" if slot:
            effects = (Stage(slot),)
        case "staged" if slot:
            effects = (CheckFiles(slot),)
        case "self-test" if slot:
            effects = (TestCandidate(slot),)
        case "committed" if state.current:
            kept = _kept(state)
            effects = (
                SetPointers(state.current, state.previous),
                Serve(state.current, proven=True),
                Collect(kept),
            )
        case "rolled-back":
            pointers = SetPointers(state.current, state.previous)
            effects = (Discard(candidate), pointers, Collect(_kept(state)))
        case _:
            effects = ()
    return effects


def _started(state: AgentState, now: Moment) -> Transition:
    started = changed(state, unsettled_starts=state.unsettled_starts + 1)
    started = noted(started, now, "started", state.current)
    effects: tuple[Effect, ...]
    worn_out = started.unsettled_starts > MOST_UNSETTLED_STARTS
    if worn_out and started.previous is not None and not started.fallen:
        reason = f"started {started.unsettled_starts - 1} times and never ran for a while"
        fallen = fall_back(started, CurrentFailed(reason), now)
        started, effects = fallen.state, fallen.effects
    else:
        effects = (SetPointers(started.current, started.previous), *_serving(started, now))
    resumed = _resumed(started, now)
    return Transition(resumed.state, (*effects, *resumed.effects))


def _resumed(state: AgentState, now: Moment) -> Transition:
    """Take up what was interrupted, a bounded number of times (rule 4)."""
    if state.phase == "committed":
        pointers = SetPointers(state.current, state.previous)
        return Transition(state, (pointers, Collect(_kept(state))))
    if state.phase not in {"downloading", "staged", "self-test"}:
        return Transition(state, pending(state))
    again = changed(state, attempts=state.attempts + 1)
    if state.phase == "downloading":
        if again.attempts > MOST_DOWNLOADS:
            return _about_candidate(state, Postponed("the download was interrupted"), now)
    elif again.attempts > MOST_ATTEMPTS:
        return _give_up(state, f"the device restarted {MOST_ATTEMPTS} times in its self-test", now)
    return Transition(again, pending(again))


def _serving(state: AgentState, now: Moment) -> tuple[Effect, ...]:
    """Serve the current release; at a new boot or on new software it proves itself first."""
    if state.current is None:
        return ()
    known = state.proof if state.proof and state.proof.entry == state.current.entry else None
    if known is None:
        return (Serve(state.current, proven=False, why="update"),)
    if known.fingerprint != now.fingerprint:
        return (Serve(state.current, proven=False, why="changed"),)
    return (Serve(state.current, proven=known.boot == now.boot, why="boot"),)


def _offered(
    state: AgentState, candidate: Candidate, release: PublishedRelease, now: Moment
) -> Transition:
    if not _is_new(state, candidate, release, now):
        return Transition(state)
    same = state.current is not None and state.current.entry == release.entry
    if same and state.current and not candidate.variant:  # the same bytes under a new number
        current = changed(state.current, release_counter=release.release_counter)
        renumbered = changed(state, current=current, highest_counter=release.release_counter)
        return Transition(
            noted(renumbered, now, "committed", current, release.rollback_reason or "republished"),
            (SetPointers(current, state.previous),),
        )
    named = _slot_of(candidate)
    begun = changed(state, phase="downloading", candidate=candidate, attempts=1)
    begun = noted(begun, now, "offered", named, _reason_of(candidate))
    return Transition(begun, pending(begun))


def _is_new(
    state: AgentState, candidate: Candidate, release: PublishedRelease, now: Moment
) -> bool:
    if release.release_counter < state.highest_counter:
        return False
    wanted = (release.entry, release.release_counter)
    current = state.current
    if current and (current.entry, current.release_counter) == wanted and not candidate.variant:
        return False
    return not any(
        (each.entry, each.release_counter) == wanted
        and each.fingerprint in {"", now.fingerprint}
        and each.policy in {"", candidate.policy}
        for each in state.refused
    )


def _about_candidate(state: AgentState, event: Event, now: Moment) -> Transition:
    """What is found out about the candidate; what belongs to another phase changes nothing."""
    candidate = state.candidate
    reached: Transition
    match state.phase, event:
        case "downloading", Proven(slot) if candidate:
            reached = _moved(state, "verified", candidate=changed(candidate, slot=slot), attempts=1)
        case "downloading" | "verified" | "staged", Postponed(reason):
            dropped = changed(state, phase="idle", candidate=None, attempts=0, trouble=reason)
            reached = Transition(dropped)
        case "downloading", Refused(reason):
            reached = _give_up(state, reason, now, event="refused")
        case "verified", Staged():
            reached = _moved(state, "staged", attempts=1)
        case "staged", Intact():
            reached = _moved(state, "self-test", attempts=1)
        case "self-test", SelfTestFailed(reason):
            reached = _give_up(state, reason, now)
        case "self-test", SelfTestPassed() if candidate and candidate.slot:
            reached = _commit(state, candidate, candidate.slot, now)
        case "committed" | "rolled-back", Finished():
            reached = Transition(changed(state, phase="idle", candidate=None, attempts=0))
        case _:
            reached = Transition(state)
    return reached


def _commit(state: AgentState, candidate: Candidate, slot: Slot, now: Moment) -> Transition:
    back = candidate.release is None
    taken_back = (refusal(state.current, candidate.reason, ""),) if back and state.current else ()
    committed = changed(
        state,
        phase="committed",
        current=slot,
        previous=_other_than(slot, state.current, state.previous),
        proof=Proof(entry=slot.entry, boot=now.boot, fingerprint=now.fingerprint),
        highest_counter=max(state.highest_counter, slot.release_counter),
        refused=(*state.refused, *taken_back)[-MOST_REFUSED:],
        unsettled_starts=0,
        fallen=False,
    )
    event: HistoryEvent = "restored" if back else "committed"
    committed = noted(committed, now, event, slot, _reason_of(candidate))
    return Transition(committed, pending(committed))


def _give_up(
    state: AgentState, reason: str, now: Moment, *, event: HistoryEvent = "rolled-back"
) -> Transition:
    candidate = state.candidate or Candidate()
    slot = _slot_of(candidate)
    refused = state.refused
    if slot is not None and candidate.release is not None:
        policy = candidate.policy if event == "refused" else ""
        refused = (*refused, refusal(slot, reason, now.fingerprint, policy))[-MOST_REFUSED:]
    current = state.current
    if current and slot and current.entry == slot.entry:  # what runs stays chosen here (rule 5)
        current = changed(current, chosen_on=now.fingerprint)
    given_up = changed(state, phase="rolled-back", current=current, refused=refused, attempts=0)
    given_up = noted(given_up, now, event, slot, reason)
    return Transition(given_up, pending(given_up))


def _rollback(state: AgentState, reason: str, now: Moment) -> Transition:
    if state.previous is None:
        raise UsageError(
            "there is nothing to go back to",
            expected="a previous release in the store",
            found="none",
            next_step="Have the older release published again with --rollback",
        )
    if state.phase in {"committed", "rolled-back"}:
        raise UsageError("an update is just being finished", next_step="Ask again in a moment")
    candidate = Candidate(slot=state.previous, reason=reason)
    begun = changed(state, phase="staged", candidate=candidate, attempts=1)
    begun = noted(begun, now, "offered", state.previous, reason)
    discarded = () if state.candidate is None else (Discard(state.candidate),)
    return Transition(begun, (*discarded, *pending(begun)))


def _moved(state: AgentState, phase: str, **changes: object) -> Transition:
    moved = changed(state, phase=phase, **changes)
    return Transition(moved, pending(moved))


def _other_than(slot: Slot, *candidates: Slot | None) -> Slot | None:
    return next((each for each in candidates if each and each.entry != slot.entry), None)


def _kept(state: AgentState) -> tuple[Slot, ...]:
    return tuple(each for each in (state.current, state.previous) if each is not None)


def _slot_of(candidate: Candidate) -> Slot | None:
    """What the history calls a candidate that is not proven yet."""
    release = candidate.release
    if candidate.slot is not None or release is None:
        return candidate.slot
    return Slot(
        product=release.product,
        version=release.version,
        release_counter=release.release_counter,
        entry=release.entry,
        manifest=release.manifest,
        variant="",
        artifact="",
        files=(),
    )


def _reason_of(candidate: Candidate) -> str:
    if candidate.variant:
        return f"{candidate.variant} is the variant for this machine and software"
    return candidate.release.rollback_reason if candidate.release else candidate.reason
