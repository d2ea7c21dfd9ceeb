"""Drives the state machine: keeps its state, does its effects, tells what they led to.

Rules:

1. A new state is on the disk before its first effect is begun; the history follows from the state.
2. What the disk refuses is trouble and no reason to stop: a step of an update is not taken then,
   and is asked for again by the next look. A step about what serves is taken all the same, in
   memory, because serving must not depend on a disk that can be written to; it is written when it
   can be.
3. An effect that leads to an event has that event dealt with before the next effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from edgeworthy.agent.control import Control
from edgeworthy.agent.events import (
    CheckFiles,
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
    Moment,
    Offered,
    Postponed,
    Rest,
    Serve,
    SetPointers,
    Settled,
    Stage,
    Staged,
    Started,
    TestCandidate,
)
from edgeworthy.agent.history import settle_history
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.machine import pending, step
from edgeworthy.agent.signed_time import load_signed_time
from edgeworthy.agent.store import Store
from edgeworthy.documents.agent import AgentState, Slot
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.errors import EdgeworthyError, InputError, StorageError

_LASTING = {"committed", "rolled-back"}
_ABOUT_SERVING = (Started, CurrentProven, CurrentFailed, CurrentCrashed, Settled)
_SERVING = (SetPointers, Serve, Rest)


class Loader(Protocol):
    """Runs models; :class:`~edgeworthy.agent.models.Models` does it in worker processes."""

    def test(self, slot: Slot) -> Event:
        """Load a candidate and have it prove itself."""

    def serve(self, slot: Slot, *, proven: bool, why: str) -> Event | None:
        """Serve a release."""

    def discard(self) -> None:
        """Stop the candidate."""

    def rest(self) -> None:
        """Stop serving."""


class Finder(Protocol):
    """Looks and fetches; :class:`~edgeworthy.agent.fetching.Fetcher` does it."""

    def look(self, state: AgentState) -> Event:
        """Ask whether there is something else to run."""

    def fetch(self, release: PublishedRelease) -> Event:
        """Fetch a release and prove it."""


def _own_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Supervisor:
    """One device.

    Attributes:
        store: What it keeps.
        identity: What it is.
        finder: How it looks and fetches.
        loader: How it runs models.
        control: Who is told what happened.
        own_clock: What its clock says.
        say: Told about what goes on, for people.
        state: Where it stands.
        trouble: What the disk refused last; empty when it does not.
        fetching: Told to fetch in the background; absent to fetch at once.
        crash: A release that could not be served; who runs the agent tells it after a wait.
    """

    store: Store
    identity: Identity
    finder: Finder
    loader: Loader
    control: Control
    own_clock: Callable[[], datetime] = _own_clock
    say: Callable[[str], None] = lambda _sentence: None
    state: AgentState = field(default_factory=AgentState)
    trouble: str = ""
    fetching: Callable[[PublishedRelease], None] | None = None
    crash: CurrentCrashed | None = None
    _depth: int = 0
    _unkept: bool = False

    def start(self, *, serves: bool) -> None:
        """Take up what was interrupted; the caller is alone on the store."""
        self.store.sweep()
        self.state = self.store.state()
        interrupted = self.state.unwritten
        self._settle()
        for entry in interrupted:  # perhaps for the second time: whoever is told counts
            self.control.report(entry)
        self.handle(Started(serves))

    def look(self) -> None:
        """Ask whether there is something else to run, and see it through."""
        if self.resume():
            self.handle(self.finder.look(self.state))

    def resume(self) -> bool:
        """Do again what the disk refused; whether there is nothing left of it."""
        try:
            self._keep(self.state)
        except StorageError as error:
            self._troubled(error)
            return False
        if self.state.phase != "idle":
            self._do(pending(self.state))
            self._finish()
        return self.state.phase == "idle"

    def handle(self, event: Event) -> bool:
        """Take the step that an event leads to; false when the disk refused it (rule 2)."""
        before = self.state
        reached = step(before, event, self.moment())
        effects = reached.effects
        kept = True
        try:
            self._keep(reached.state)
        except StorageError as error:
            self._troubled(error)
            if not isinstance(event, _ABOUT_SERVING):
                return False
            kept, self.state, self._unkept = False, reached.state, True
            effects = tuple(each for each in effects if isinstance(each, _SERVING))
        self._tell(before, event)
        self._depth += 1
        try:
            self._do(effects)
        finally:
            self._depth -= 1
        if kept:
            self._finish()
        return kept

    def moment(self) -> Moment:
        """When and where something happens."""
        floor = load_signed_time(self.store.signed_time_file).floor
        return Moment(
            own_clock=_text(self.own_clock()),
            signed_time=_text(floor) if floor else "",
            boot=self.identity.boot,
            fingerprint=self.identity.fingerprint,
        )

    def _keep(self, state: AgentState) -> None:
        if state == self.state and not self._unkept:
            if state.unwritten:
                self._settle()
            return
        known = self.state.sequence - len(self.state.unwritten)
        self.store.write_state(state)
        self.state, self._unkept = state, False
        self._settle()
        for entry in state.unwritten:
            if entry.sequence > known:
                self.control.report(entry)

    def _settle(self) -> None:
        """Bring the history into its file; where the disk refuses, the state goes on holding it."""
        try:
            settle_history(self.store.history_file, self.state)
            self.state = msgspec.structs.replace(self.state, unwritten=())
        except (StorageError, InputError) as error:
            self._troubled(error)

    def _do(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            try:
                event = self._perform(effect)
            except StorageError as error:
                self._troubled(error)
                event = Postponed(str(error)) if isinstance(effect, Stage) else None
            if isinstance(event, CurrentCrashed):
                self.crash = event  # after a wait, or a broken worker would be started without end
            elif event is not None:
                self.handle(event)

    def _finish(self) -> None:
        """A commit or a rollback is over when the store shows it."""
        if self._depth or self.state.phase not in _LASTING or self._unfinished():
            return
        self.trouble = ""
        self.handle(Finished())

    def _unfinished(self) -> bool:
        current, previous = self.store.pointers()
        return (current, previous) != (
            self.state.current.entry if self.state.current else "",
            self.state.previous.entry if self.state.previous else "",
        )

    def _perform(self, effect: Effect) -> Event | None:
        event: Event | None = None
        match effect:
            case SetPointers(current, previous):
                self.store.point(current, previous)
            case Serve(slot, proven, why):
                event = self.loader.serve(slot, proven=proven, why=why)
            case Discard():
                self.loader.discard()
            case Rest():
                self.loader.rest()
            case Collect(keep):
                self.store.collect(keep)
            case _:
                event = self._advance(effect)
        return event

    def _advance(self, effect: Effect) -> Event | None:
        """Effects that carry a candidate further."""
        event: Event | None = None
        match effect:
            case Fetch(release) if self.fetching:
                self.fetching(release)
            case Fetch(release):
                event = self.finder.fetch(release)
            case Stage(slot):
                self.store.admit(slot)
                event = Staged()
            case CheckFiles(slot):
                damage = self.store.damage(slot)
                event = Postponed(damage) if damage else Intact()
            case TestCandidate(slot):
                event = self.loader.test(slot)
        return event

    def _troubled(self, error: EdgeworthyError) -> None:
        if str(error) != self.trouble:
            self.trouble = str(error)
            self.say(f"trouble: {error}")

    def _tell(self, before: AgentState, event: Event) -> None:
        state = self.state
        if state.trouble and state.trouble != before.trouble:
            self.say(f"no update now: {state.trouble}")
        if isinstance(event, Offered) and state.phase == "downloading":
            release = event.release
            size = f"{release.size_bytes / 1e6:.3g} MB"
            self.say(f"offered {release.product} {release.version}: fetching up to {size}")
        if state.phase == before.phase and state.current == before.current:
            return
        named = state.current
        if state.phase == "committed" and named:
            self.say(f"committed {named.product} {named.version}, {named.variant}")
        elif state.phase == "rolled-back" and state.refused:
            self.say(f"not taken: {state.refused[-1].reason}")
        elif state.current != before.current:
            self.say(f"fell back to {named.version}" if named else "nothing is left to run")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
