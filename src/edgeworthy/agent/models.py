"""The models that run: one that serves, and for the time of an update one beside it.

Rules:

1. Every file that a load touches is hashed before, each time.
2. A candidate is loaded and tested beside the one that serves. When it takes over, both take
   requests from the same listening sockets for a moment, and idle connections are handed on: no
   request is lost.
3. A worker that ends, or says nothing for too long, is one event; what follows from it is for the
   state machine.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeworthy.agent.events import (
    CurrentCrashed,
    CurrentFailed,
    CurrentProven,
    Event,
    SelfTestFailed,
    SelfTestPassed,
)
from edgeworthy.agent.store import Store
from edgeworthy.agent.worker_process import Waits, WorkerProcess
from edgeworthy.documents.agent import Slot
from edgeworthy.documents.record import encode_document
from edgeworthy.documents.self_test import SelfTest
from edgeworthy.documents.worker_control import (
    DrainCommand,
    Drained,
    Failed,
    Loaded,
    SelfTestCommand,
    SelfTested,
    ServeCommand,
    Serving,
)
from edgeworthy.errors import ExecutionError, StorageError
from edgeworthy.files import write_whole

#: Between two signs of life of a worker.
HEARTBEAT_SECONDS = 10.0
#: A model that misses only these is slow, not wrong: where there is nothing else it goes on.
_SLOW_NOT_WRONG = {"latency", "memory", "time"}


@dataclass
class Models:
    """The workers of one device.

    Attributes:
        store: Where the releases are.
        listeners: Sockets that requests come in at; none where nothing is served.
        options: Further options of each worker.
        waits: How long a worker may take.
        say: Told about what goes on, for people.
        serving: The worker that takes requests.
        candidate: The worker beside it.
        addresses: Where the serving worker says that it listens.
    """

    store: Store
    listeners: Sequence[socket.socket]
    options: Sequence[str] = ()
    waits: Waits = field(default_factory=Waits)
    say: Callable[[str], None] = lambda _sentence: None
    serving: WorkerProcess | None = None
    candidate: WorkerProcess | None = None
    addresses: tuple[str, ...] = ()

    def test(self, slot: Slot) -> Event:
        """Load a candidate beside the one that serves, and have it prove itself."""
        self.discard()
        if damage := self.store.damage(slot):
            return SelfTestFailed(damage)
        try:
            self.candidate = self._loaded(slot)
            result = self._tested(self.candidate, "update")
        except ExecutionError as error:
            self.discard()
            return SelfTestFailed(str(error))
        if result.passed:
            return SelfTestPassed()
        self.discard()
        return SelfTestFailed(" ".join(result.reasons))

    def serve(self, slot: Slot, *, proven: bool, why: str) -> Event | None:
        """Serve a release: from the worker that tested it, or from one that is started now.

        Returns:
            How its self-test went where it had to run one, or why it does not serve; else nothing.
        """
        if not self.listeners:
            self.discard()
            return None
        if self._serves(slot) and proven:
            return None
        worker, self.candidate = self.candidate, None
        if worker is not None and not _is_same(worker.slot, slot):
            worker.kill()
            worker = None
        if worker is None and (damage := self.store.damage(slot)):
            self._rest_from(slot)
            return CurrentFailed(damage, damaged=True)
        try:
            return self._served(worker or self._loaded(slot), why if not (worker or proven) else "")
        except ExecutionError as error:
            self._rest_from(slot)
            return CurrentCrashed(str(error)) if proven else CurrentFailed(str(error))

    def _served(self, worker: WorkerProcess, why: str) -> Event | None:
        """Have a worker take requests, after its self-test where there is a reason for one."""
        try:
            result = self._tested(worker, why) if why else None
            if result is None or result.passed:
                self._take_over(worker)
        except ExecutionError:
            worker.kill()
            raise
        if result is None:
            return None
        if result.passed:
            return CurrentProven()
        worker.kill()
        missed = {check.subject for check in result.checks if not check.held}
        usable = bool(missed) and missed <= _SLOW_NOT_WRONG
        return CurrentFailed(" ".join(result.reasons), usable=usable)

    def discard(self) -> None:
        """Stop the candidate's worker, if there is one."""
        if self.candidate is not None:
            self.candidate.kill()
            self.candidate = None

    def rest(self) -> None:
        """Stop serving."""
        if self.serving is not None:
            self.serving.kill()
            self.serving = None
            self.addresses = ()

    def close(self) -> None:
        """Let what is in flight finish, and end everything."""
        self.discard()
        if self.serving is not None:
            with contextlib.suppress(ExecutionError):
                self._drain(self.serving, None)
            self.serving = None
        for listener in self.listeners:
            listener.close()

    def watch(self) -> CurrentCrashed | None:
        """Read what the serving worker said meanwhile; an event when it is gone or silent."""
        worker = self.serving
        if worker is None:
            return None
        reason = ""
        try:
            while (report := worker.hear(0.0)) is not None:
                if isinstance(report, Failed):
                    reason = report.message
            if not reason and worker.silent_seconds() > self.waits.silence_seconds:
                reason = f"the worker gave no sign of life for {self.waits.silence_seconds:g} s"
        except ExecutionError as error:
            reason = str(error)
        if not reason:
            return None
        worker.kill()
        self.serving, self.addresses = None, ()
        return CurrentCrashed(reason)

    def _rest_from(self, slot: Slot) -> None:
        """Stop serving this release; another one goes on until something takes its place."""
        if self._serves(slot):
            self.rest()

    def _serves(self, slot: Slot) -> bool:
        return self.serving is not None and _is_same(self.serving.slot, slot)

    def _loaded(self, slot: Slot) -> WorkerProcess:
        """A worker with the model in memory; whoever calls has hashed its bytes."""
        folder = self.store.release_folder(slot.entry)
        worker = WorkerProcess.start(slot, folder, self.listeners, self.options)
        loaded = worker.wait_for(Loaded, self.waits.loading_seconds, "loading")
        if (loaded.variant, loaded.artifact) != (slot.variant, slot.artifact):
            worker.kill()
            raise ExecutionError(
                "the worker loaded another model than it was told to",
                expected=f"{slot.variant} {slot.artifact[:19]}",
                found=f"{loaded.variant[:64]} {loaded.artifact[:19]}",
            )
        self.say(
            f"loaded {loaded.release}, {loaded.variant}, in {loaded.load_time_ms:.0f} ms: "
            f"{loaded.resident_bytes / 1e6:.0f} MB"
        )
        return worker

    def _tested(self, worker: WorkerProcess, why: str) -> SelfTest:
        limit = self.waits.self_test_seconds
        worker.say(SelfTestCommand(reason=why, time_limit_seconds=limit))
        result = worker.wait_for(SelfTested, limit + 5.0, "the self-test").result
        if result.artifact != worker.slot.artifact:
            worker.kill()
            raise ExecutionError("the worker tested another model than it was told to")
        with contextlib.suppress(StorageError):  # the verdict counts, the record is for people
            write_whole(self.store.self_test_file(worker.slot.entry), encode_document(result))
        verdict = "passed" if result.passed else "failed"
        self.say(f"self-test of {result.release} {verdict}: {result.sample_count} golden samples")
        return result

    def _take_over(self, worker: WorkerProcess) -> None:
        """Let a worker take requests, then let the one before go (rule 2)."""
        before, self.serving = self.serving, None
        if before is None:
            worker.say(ServeCommand())
            listening = worker.wait_for(Serving, self.waits.serving_seconds, "beginning to serve")
        else:
            give, take = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with give, take:
                try:
                    worker.say(ServeCommand(adopts=True), take.fileno())
                    listening = worker.wait_for(
                        Serving, self.waits.serving_seconds, "beginning to serve"
                    )
                except ExecutionError:
                    self.serving = before  # it never stopped
                    raise
                take.close()
                with contextlib.suppress(ExecutionError):
                    self._drain(before, give.fileno())
        self.serving, self.addresses = worker, listening.listeners

    def _drain(self, worker: WorkerProcess, descriptor: int | None) -> None:
        grace = self.waits.grace_seconds
        command = DrainCommand(grace_seconds=grace, hands_over=descriptor is not None)
        worker.say(command, descriptor)
        drained = worker.wait_for(Drained, grace + 5.0, "draining")
        self.say(
            f"{worker.slot.version} answered {drained.request_count} requests; "
            f"{drained.handed_over_count} connections handed over, {drained.cut_count} cut"
        )
        worker.end()


def _is_same(one: Slot, other: Slot) -> bool:
    """Whether they are the same model of the same release, under whatever number."""
    return (one.entry, one.artifact) == (other.entry, other.artifact)


def worker_options(memory_limit_mib: int) -> tuple[str, ...]:
    """The options of each worker: signs of life that let the device sleep, and a memory cap."""
    limits = ("--memory-limit-mib", str(memory_limit_mib)) if memory_limit_mib else ()
    return ("--heartbeat-seconds", f"{HEARTBEAT_SECONDS:g}", *limits)
