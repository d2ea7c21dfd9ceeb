"""The laws of the state machine, for any order of events and power cuts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edgeworthy.agent.chain import check_chain, digest_of
from edgeworthy.agent.events import (
    ChoiceKept,
    CurrentCrashed,
    CurrentFailed,
    CurrentProven,
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
    Settled,
    Staged,
    Started,
    TestCandidate,
)
from edgeworthy.agent.machine import (
    MOST_ATTEMPTS,
    MOST_DOWNLOADS,
    pending,
    step,
)
from edgeworthy.agent.steps import MOST_REFUSED
from edgeworthy.documents.agent import AgentState, Slot
from edgeworthy.documents.agent_history import HistoryEntry
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import UsageError
from edgeworthy.files import digest_bytes


def release_of(number: int, counter: int) -> PublishedRelease:
    return PublishedRelease(
        product="keywords",
        version=f"1.{number}.0",
        release_counter=counter,
        entry=f"sha256:{number:064x}",
        manifest=f"sha256:{number + 1000:064x}",
        blobs=(),
        published_at="2026-06-01T00:00:00Z",
    )


def slot_of(
    release: PublishedRelease, variant: str = "int8", chosen_on: str = "software-0"
) -> Slot:
    return Slot(
        product=release.product,
        version=release.version,
        release_counter=release.release_counter,
        entry=release.entry,
        manifest=release.manifest,
        variant=variant,
        artifact=digest_bytes(f"{release.manifest} {variant}".encode()),
        chosen_on=chosen_on,
        files=(),
    )


CLOCKS = st.sampled_from(["1970-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2038-01-19T03:14:08Z"])
ANYTHING: list[Event] = [
    LookEnded(),
    LookFailed("out of reach"),
    Staged(),
    Intact(),
    SelfTestPassed(),
    ChoiceKept(),
    Finished(),
    Settled(),
    CurrentProven(),
    Postponed("no space"),
    Refused("the policy"),
    SelfTestFailed("wrong outputs"),
]


class Device(RuleBasedStateMachine):
    """A device to which anything happens, in any order; what was written survives."""

    def __init__(self) -> None:
        super().__init__()
        self.state = AgentState()
        self.effects: tuple[Effect, ...] = ()
        self.proved_here: set[tuple[str, str]] = set()
        self.history: list[HistoryEntry] = []
        self.taken_back: set[tuple[str, int]] = set()
        self.lost_for_a_reason = True
        self.boots = 0
        self.software = 0
        self.clock = "2026-06-01T00:00:00Z"

    def happens(self, event: Event) -> None:
        now = Moment(
            own_clock=self.clock,
            signed_time="",
            boot=f"boot-{self.boots}",
            fingerprint=f"software-{self.software}",
        )
        reached = step(self.state, event, now)
        written = encode_document(reached.state)
        self.history += reached.state.unwritten
        restored = decode_document(written, AgentState, where="state.json")
        assert restored == reached.state, "a state survives being written"
        self.state = msgspec.structs.replace(restored, unwritten=())
        self.effects = reached.effects

    @rule(number=st.integers(1, 6), ahead=st.integers(-1, 2), policy=st.sampled_from("ab"))
    def offered(self, number: int, ahead: int, policy: str) -> None:
        counter = max(1, self.state.highest_counter + ahead)
        before = self.state
        self.happens(Offered(release_of(number, counter), policy))
        if self.state.phase == "downloading" and before.phase == "idle":
            assert counter >= before.highest_counter
            assert (f"sha256:{number:064x}", counter) not in self.taken_back

    @precondition(lambda self: self.state.current is not None and self.state.phase == "idle")
    @rule(variant=st.sampled_from(["int8", "float32"]))
    def chosen_anew(self, variant: str) -> None:
        """The look holds the choice against the software, and says what came of it."""
        current = self.state.current
        assert current is not None
        if variant == current.variant:
            self.happens(ChoiceKept())
            assert self.state.current == msgspec.structs.replace(
                current, chosen_on=f"software-{self.software}"
            )
            return
        number = int(current.entry[7:], 16)
        self.happens(Offered(release_of(number, current.release_counter), "a", variant))
        assert self.state.current == current, "what runs goes on"

    @precondition(lambda self: self.state.phase == "downloading")
    @rule(variant=st.sampled_from(["int8", "float32"]))
    def fetched(self, variant: str) -> None:
        candidate = self.state.candidate
        assert candidate is not None
        assert candidate.release is not None
        self.happens(Proven(slot_of(candidate.release, variant, f"software-{self.software}")))

    @precondition(lambda self: self.state.phase == "self-test")
    @rule()
    def proves_itself(self) -> None:
        candidate = self.state.candidate
        assert candidate is not None
        assert candidate.slot is not None
        self.proved_here.add((candidate.slot.entry, candidate.slot.variant))
        self.happens(SelfTestPassed())

    @rule(event=st.sampled_from([each for each in ANYTHING if each != SelfTestPassed()]))
    def anything(self, event: Event) -> None:
        self.happens(event)

    @rule(new_boot=st.booleans(), serves=st.booleans(), clock=CLOCKS)
    def power_cut(self, *, new_boot: bool, serves: bool, clock: str) -> None:
        self.boots += new_boot
        self.clock = clock
        before = self.state
        self.happens(Started(serves))
        after = self.state
        if after.phase == before.phase and after.phase in {"verified", "rolled-back"}:
            asked = all(each in self.effects for each in pending(after))
            assert asked, "what was interrupted is asked for again"
        if serves and after.current:
            served = [each for each in self.effects if isinstance(each, Serve)]
            assert [each.slot for each in served] == [after.current]
            proof = after.proof
            known = proof and (proof.entry, proof.boot, proof.fingerprint)
            here = (after.current.entry, f"boot-{self.boots}", f"software-{self.software}")
            assert served[0].proven == (known == here)

    @rule()
    def new_software(self) -> None:
        self.software += 1

    @rule(usable=st.booleans(), damaged=st.booleans())
    def current_fails(self, *, usable: bool, damaged: bool) -> None:
        before = self.state
        self.happens(CurrentFailed("something", usable and not damaged, damaged))
        if before.current and not before.previous and not (usable and not damaged):
            assert self.state.current is None
        elif before.current:
            assert self.state.current in {before.previous, before.current}

    @rule()
    def current_crashes(self) -> None:
        before = self.state
        self.happens(CurrentCrashed("SIGSEGV"))
        assert (self.state.current is None) == (before.current is None), "a crash leaves something"

    @rule()
    def taken_back_by_hand(self) -> None:
        if self.state.previous is None or self.state.phase in {"committed", "rolled-back"}:
            with pytest.raises(UsageError):
                self.happens(RollbackAsked("by hand"))
            return
        self.happens(RollbackAsked("by hand"))

    @invariant()
    def what_runs_proved_itself_here(self) -> None:
        for slot in (self.state.current, self.state.previous):
            assert slot is None or (slot.entry, slot.variant) in self.proved_here
        if self.state.current and self.state.previous:
            assert self.state.current.entry != self.state.previous.entry

    @invariant()
    def a_phase_has_what_it_needs(self) -> None:
        state = self.state
        if state.phase == "idle":
            assert state.candidate is None
        if state.phase in {"verified", "staged", "self-test"}:
            assert state.candidate is not None
            assert state.candidate.slot is not None
            assert pending(state)
        if state.phase == "downloading":
            assert isinstance(pending(state)[0], Fetch)

    @invariant()
    def everything_is_bounded(self) -> None:
        state = self.state
        assert len(state.refused) <= MOST_REFUSED
        assert state.attempts <= (MOST_DOWNLOADS if state.phase == "downloading" else MOST_ATTEMPTS)

    @invariant()
    def the_history_hangs_together(self) -> None:
        digests = [digest_of(each) for each in self.history]
        end = check_chain(None, self.history, digests, where="")
        assert end == (self.state.sequence, self.state.head)
        self.taken_back = {
            (each.entry, each.release_counter)
            for each in self.state.refused
            if not each.fingerprint
        }


TestDevice = Device.TestCase
TestDevice.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

NOW = Moment(own_clock="2026-06-01T00:00:00Z", signed_time="", boot="b", fingerprint="f")
WAY: list[tuple[str, Event]] = [
    ("downloading", Offered(release_of(1, 1))),
    ("verified", Proven(slot_of(release_of(1, 1)))),
    ("staged", Staged()),
    ("self-test", Intact()),
    ("committed", SelfTestPassed()),
    ("idle", Finished()),
]


def test_the_way_of_an_update() -> None:
    state = AgentState()
    for phase, event in WAY:
        state = step(state, event, NOW).state
        assert state.phase == phase
    assert state.current == slot_of(release_of(1, 1))
    assert state.highest_counter == 1


@pytest.mark.parametrize("length", range(1, len(WAY)))
def test_an_event_of_another_phase_changes_nothing(length: int) -> None:
    state = AgentState()
    for _, event in WAY[:length]:
        state = step(state, event, NOW).state
    fitting = {
        "downloading": (Proven, Postponed, Refused),
        "verified": (Staged, Postponed),
        "staged": (Intact, Postponed),
        "self-test": (SelfTestPassed, SelfTestFailed),
        "committed": (Finished,),
        "idle": (Offered,),
    }[state.phase]
    for _, event in [*WAY, ("", SelfTestFailed("x")), ("", Refused("x")), ("", Postponed("x"))]:
        if not isinstance(event, fitting):
            assert step(state, event, NOW).state == state


def test_the_worker_starts_only_after_the_state_says_so() -> None:
    state = AgentState()
    for phase, event in WAY:
        reached = step(state, event, NOW)
        state = reached.state
        tests = [each for each in reached.effects if isinstance(each, TestCandidate)]
        assert bool(tests) == (phase == "self-test")
