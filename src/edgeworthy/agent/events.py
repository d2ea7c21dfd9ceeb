"""What can happen to a device, and what it then does: the words of the state machine.

An event says what was found out, never what to do about it. An effect is work that may be done
twice: power may fail before it, in it and after it, and it is then asked for once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edgeworthy.documents.agent import Candidate, Slot
from edgeworthy.documents.publication import PublishedRelease


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When and where something happens.

    Attributes:
        own_clock: What the device's clock says, RFC 3339, UTC.
        signed_time: Latest signed time that it saw; empty before the first.
        boot: Boot of the machine.
        fingerprint: Digest of CPU, operating system, Python and runtimes.
    """

    own_clock: str
    signed_time: str
    boot: str
    fingerprint: str


@dataclass(frozen=True)
class _Bare:
    """Something of which there is no more to say than that it is so."""


@dataclass(frozen=True)
class _WithReason:
    """Something that has a reason, said in one sentence."""

    reason: str


@dataclass(frozen=True)
class _OfSlot:
    """Something about one release in the store."""

    slot: Slot


@dataclass(frozen=True)
class Started:
    """The agent begins; whatever it did before was interrupted.

    Attributes:
        serves: Whether it is going to serve, and not only to look for updates once.
    """

    serves: bool = True


class Stopped(_WithReason):
    """The agent was asked to end."""


@dataclass(frozen=True)
class Offered:
    """The repository offers a release to this device.

    Attributes:
        release: Which.
        policy: Digest of the policy that is in force.
        variant: Variant that other software takes than the one that runs; empty where the release
            is not the one that runs.
    """

    release: PublishedRelease
    policy: str = ""
    variant: str = ""


class LookFailed(_WithReason):
    """The repository could not be asked, or says what cannot be believed."""


class LookEnded(_Bare):
    """The repository was asked and offers nothing new."""


class Proven(_OfSlot):
    """The candidate was fetched, is what its publisher signed, and keeps the device's policy."""


class Postponed(_WithReason):
    """The candidate cannot be had now; a later attempt may succeed."""


class Refused(_WithReason):
    """The candidate is not acceptable on this device."""


class Staged(_Bare):
    """The candidate lies in the store, ready to be loaded."""


class Intact(_Bare):
    """Every file of the candidate has its digest."""


class SelfTestPassed(_Bare):
    """The candidate proved itself on this device."""


class SelfTestFailed(_WithReason):
    """It did not."""


class Finished(_Bare):
    """The effects of a commit or of a rollback are done."""


class ChoiceKept(_Bare):
    """On this machine and software too, the variant that runs is the one to run."""


class CurrentProven(_Bare):
    """The current release passed its self-test again."""


@dataclass(frozen=True)
class CurrentFailed:
    """The current release cannot go on.

    Attributes:
        reason: Why.
        usable: Whether it could run all the same where there is nothing else: slow, not wrong.
        damaged: Whether its bytes are at fault, so that fetching it again mends it.
    """

    reason: str
    usable: bool = False
    damaged: bool = False


class CurrentCrashed(_WithReason):
    """The worker of the current release ended or hung while it served."""


class Settled(_Bare):
    """The current release served for a while without trouble."""


class RollbackAsked(_WithReason):
    """A person wants the previous release back."""


Event: TypeAlias = (
    Started
    | Stopped
    | Offered
    | LookFailed
    | LookEnded
    | Proven
    | Postponed
    | Refused
    | Staged
    | Intact
    | SelfTestPassed
    | SelfTestFailed
    | Finished
    | ChoiceKept
    | CurrentProven
    | CurrentFailed
    | CurrentCrashed
    | Settled
    | RollbackAsked
)


@dataclass(frozen=True)
class Fetch:
    """Fetch the candidate, prove it, hold it against the policy, choose its variant."""

    release: PublishedRelease


class Stage(_OfSlot):
    """Put what was proven where it can be loaded from."""


class CheckFiles(_OfSlot):
    """Hash every file of the candidate."""


@dataclass(frozen=True)
class TestCandidate:
    """Start a worker beside the one that serves, and have it run the golden set."""

    __test__ = False  # not a test, whatever pytest makes of its name
    slot: Slot


@dataclass(frozen=True)
class SetPointers:
    """Let ``current`` and ``previous`` of the store name these releases."""

    current: Slot | None
    previous: Slot | None


@dataclass(frozen=True)
class Serve:
    """Serve this release, from the worker that tested it where there is one.

    Attributes:
        slot: Which.
        proven: Whether it proved itself since this boot; if not, it runs its self-test first.
        why: Why it is tested, for the record.
    """

    slot: Slot
    proven: bool
    why: str = ""


@dataclass(frozen=True)
class Discard:
    """Stop the worker of the candidate, if there is one."""

    candidate: Candidate


@dataclass(frozen=True)
class Collect:
    """Remove every release from the store but these."""

    keep: tuple[Slot, ...]


class Rest(_Bare):
    """Stop serving: there is nothing that may run."""


Effect: TypeAlias = (
    Fetch | Stage | CheckFiles | TestCandidate | SetPointers | Serve | Discard | Collect | Rest
)
