"""What a device knows of itself between two instructions: its settings, its slots, its state."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.agent_history import HistoryEntry
from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.publication import PublishedBlob, PublishedRelease
from edgeworthy.documents.record import Document, Record

#: Where an update stands. ``committed`` and ``rolled-back`` last until their effects are done.
Phase = Literal[
    "idle",
    "downloading",
    "verified",
    "staged",
    "self-test",
    "committed",
    "rolled-back",
]


class AgentSettings(Document, frozen=True, kw_only=True):
    """Who a device is and whom it follows, as it was enrolled.

    Attributes:
        device: Its name: assignments to ``devices/NAME`` are for it.
        ring: The ring whose assignments it follows where none is for the device itself.
        product: What it runs.
        policy: Name of the signed policy that a release must keep.
        repositories: Addresses or folders of the repository; none of them is trusted.
        socket: Unix socket that inference is served at; empty for ``run/inference.sock`` in the
            store.
        address: ``HOST:PORT`` that inference is served at too; empty for none.
        interval_seconds: Mean time between two looks at the repository.
        quota_bytes: What the store may take; 0 for as much as the disk has.
        memory_limit_mib: What a worker may take; 0 for no limit.
    """

    KIND: ClassVar[str] = "agent-settings"

    device: str
    ring: str
    product: str
    policy: str
    repositories: tuple[str, ...]
    socket: str = ""
    address: str = ""
    interval_seconds: float = 3600.0
    quota_bytes: int = 0
    memory_limit_mib: int = 0


class Slot(Document, frozen=True, kw_only=True):
    """A proven release in the store, and the variant of it that runs here.

    Attributes:
        product: Name of the project.
        version: Version of the project.
        release_counter: Which publication.
        entry: Digest of the OCI image index; names the folder in the store.
        manifest: Digest of the OCI image manifest: the name of the release.
        variant: What runs here.
        artifact: Digest of the variant's file.
        chosen_on: Digest of the machine and software that the variant was chosen for; empty in
            slots of version 1.0.
        files: What is hashed before each load.
    """

    KIND: ClassVar[str] = "agent-slot"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    product: str
    version: str
    release_counter: int
    entry: str
    manifest: str
    variant: str
    artifact: str
    chosen_on: str = ""
    files: tuple[PublishedBlob, ...]


class Candidate(Record, frozen=True, kw_only=True):
    """What is on its way to become current.

    Attributes:
        release: The publication, as its product's key vouches for it; absent when the device goes
            back to its own previous release.
        slot: The release in the store, once it is proven.
        reason: Why, as whoever asked to go back says.
        policy: Digest of the policy that was in force when it was offered.
        variant: Variant of the current release that this machine and software takes instead of the
            one that runs; empty where the release itself is another one.
    """

    release: PublishedRelease | None = None
    slot: Slot | None = None
    reason: str = ""
    policy: str = ""
    variant: str = ""


class Proof(Record, frozen=True, kw_only=True):
    """Under which circumstances the current release last passed its self-test.

    Attributes:
        entry: Which release.
        boot: Boot of the machine, as the kernel names it.
        fingerprint: Digest of CPU, operating system, Python and runtimes.
    """

    entry: str
    boot: str
    fingerprint: str


class RefusedRelease(Record, frozen=True, kw_only=True):
    """A release that is not tried again here.

    Attributes:
        entry: Digest of its OCI image index.
        release_counter: Under which publication.
        fingerprint: On which machine and software; empty for on any.
        policy: Under which policy; empty for under any.
        reason: Why.
    """

    entry: str
    release_counter: int
    fingerprint: str
    policy: str
    reason: str


class AgentState(Document, frozen=True, kw_only=True):
    """Where a device stands; written whole with every step.

    Attributes:
        phase: Where an update stands.
        current: What runs.
        previous: What ran before, ready to run again.
        candidate: What is on its way.
        attempts: How often the phase was begun.
        unsettled_starts: Starts since a release last ran for a while without trouble.
        fallen: Whether the device fell back since then.
        proof: When the current release last proved itself.
        refused: Releases that are not tried again, the newest last.
        highest_counter: Highest release counter that was accepted.
        trouble: Why the last look at the repository failed; empty when it did not.
        sequence: Entries of the history so far.
        head: Digest of the newest of them; empty before the first.
        unwritten: Entries that may not be in the history's file yet.
    """

    KIND: ClassVar[str] = "agent-state"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    phase: Phase = "idle"
    current: Slot | None = None
    previous: Slot | None = None
    candidate: Candidate | None = None
    attempts: int = 0
    unsettled_starts: int = 0
    fallen: bool = False
    proof: Proof | None = None
    refused: tuple[RefusedRelease, ...] = ()
    highest_counter: int = 0
    trouble: str = ""
    sequence: int = 0
    head: str = ""
    unwritten: tuple[HistoryEntry, ...] = ()


class WorkerStatus(Record, frozen=True, kw_only=True):
    """The process that serves.

    Attributes:
        process_id: Of the worker.
        addresses: Where it takes requests.
        uptime_seconds: Since its start.
        request_count: Inferences answered since then.
        failure_count: Inferences that failed since then.
        resident_bytes: Resident memory.
    """

    process_id: int
    addresses: tuple[str, ...]
    uptime_seconds: float = 0.0
    request_count: int = 0
    failure_count: int = 0
    resident_bytes: int = 0


class AgentStatus(Document, frozen=True, kw_only=True):
    """Where a device stands, for people and for programs.

    Attributes:
        device: Its name.
        ring: The ring that it follows.
        product: What it runs.
        policy: The policy that a release must keep.
        repositories: Where it looks.
        instruction_set: Its class of CPU.
        running: Whether an agent runs.
        phase: Where an update stands.
        current: What runs, or would.
        previous: What it could go back to.
        candidate: Version that is on its way; empty for none.
        worker: The process that serves; absent when none does.
        trouble: Why there is no update now, or what the disk refused; empty when all is well.
        refused: Releases that are not tried again.
        signed_time: Latest signed time that was seen; empty before the first.
        history_count: Entries of the history.
        next_look_seconds: Until the next look at the repository; absent when no agent runs.
    """

    KIND: ClassVar[str] = "agent-status"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    device: str
    ring: str
    product: str
    policy: str
    repositories: tuple[str, ...]
    instruction_set: InstructionSet
    running: bool
    phase: Phase
    current: Slot | None
    previous: Slot | None
    candidate: str
    worker: WorkerStatus | None
    trouble: str
    refused: tuple[RefusedRelease, ...]
    signed_time: str
    history_count: int
    next_look_seconds: float | None = None


class AgentFinding(Record, frozen=True, kw_only=True):
    """One thing that was looked at on a device.

    Attributes:
        subject: What was looked at.
        severity: ``fine``, ``note`` or ``problem``.
        sentence: What was found.
        next_step: What can be done about it; empty where nothing must be.
    """

    subject: str
    severity: Literal["fine", "note", "problem"]
    sentence: str
    next_step: str = ""


class AgentDiagnosis(Document, frozen=True, kw_only=True):
    """What is well and what is not on a device.

    Attributes:
        device: Its name.
        healthy: Whether there is no problem.
        findings: Everything that was looked at.
    """

    KIND: ClassVar[str] = "agent-diagnosis"

    device: str
    healthy: bool
    findings: tuple[AgentFinding, ...]
