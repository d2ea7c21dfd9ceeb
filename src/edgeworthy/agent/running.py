"""An agent as a process: opened, run once, or run until it is asked to end.

Rules:

1. One thread decides. Looking and fetching wait on the network, so they run beside it and only hand
   over what they found.
2. A worker that broke is started again after a wait that doubles, never at once and again.
3. The process sleeps until something happens, never longer than the watchdogs allow.
4. SIGTERM and SIGINT end it in order: what is in flight is answered, the history says so.
"""

from __future__ import annotations

import contextlib
import queue
import random
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from edgeworthy.agent.asking import Question, answer_one, open_door
from edgeworthy.agent.control import Control, RepositoryControl
from edgeworthy.agent.events import Event, LookFailed, Postponed, RollbackAsked, Settled, Stopped
from edgeworthy.agent.fetching import Fetcher
from edgeworthy.agent.identity import identify
from edgeworthy.agent.models import Models, worker_options
from edgeworthy.agent.notifying import notify, watchdog_seconds
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.schedule import first_wait_seconds, next_wait_seconds
from edgeworthy.agent.sources import source_of
from edgeworthy.agent.status import status_of
from edgeworthy.agent.store import Store
from edgeworthy.agent.supervisor import Supervisor
from edgeworthy.agent.transport import Transport, World
from edgeworthy.agent.worker_process import tcp_listener, unix_listener
from edgeworthy.documents.agent import AgentSettings, AgentState
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.documents.record import encode_document
from edgeworthy.errors import EdgeworthyError

#: A release that served for so long without trouble has settled.
SETTLE_SECONDS = 60.0
_LONGEST_RESTART_SECONDS = 300.0
_LONGEST_SLEEP_SECONDS = 20.0
#: How long the worker of an agent that was killed may hold a port.
_PORT_SECONDS = 10.0

Say = Callable[[str], None]


def _silent(_sentence: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How an agent runs.

    Attributes:
        repositories: Where to look, instead of what the settings say.
        patience: What a transfer may cost.
        control: Who gives orders; the repository's director where it is left out.
        settle_seconds: How long a release must serve to have settled.
        say: Told about what goes on, for people.
    """

    repositories: Sequence[str] = ()
    patience: Patience = field(default_factory=Patience)
    control: Control | None = None
    settle_seconds: float = SETTLE_SECONDS
    say: Say = _silent


def run_once(store: Store, options: RunOptions) -> AgentState:
    """Look once, take what is offered, prove it, commit it; nothing is served.

    Raises:
        UsageError: The device is not enrolled, or another agent works on its store.
    """
    settings = store.settings()
    with store.alone():
        supervisor, _ = _opened(store, settings, options, ())
        supervisor.start(serves=False)
        supervisor.look()
        return supervisor.state


def roll_back_once(store: Store, reason: str, options: RunOptions) -> AgentState:
    """Go back to the previous release while no agent runs.

    Raises:
        UsageError: There is none, or another agent works on the store.
    """
    settings = store.settings()
    with store.alone():
        supervisor, _ = _opened(store, settings, options, ())
        supervisor.start(serves=False)
        supervisor.handle(RollbackAsked(reason))
        return supervisor.state


def run_forever(store: Store, options: RunOptions) -> None:
    """Serve, and look for updates, until SIGTERM or SIGINT.

    Raises:
        UsageError: The device is not enrolled, or another agent works on its store.
        ExecutionError: A socket cannot be listened at.
    """
    settings = store.settings()
    with store.alone(), contextlib.ExitStack() as stack:
        listeners = _listeners(store, settings)
        for each in listeners:
            stack.enter_context(each)
        supervisor, models = _opened(store, settings, options, listeners)
        stack.callback(models.close)
        door = stack.enter_context(open_door(store.run))
        wake = stack.enter_context(_signals())
        _Loop(supervisor, models, settings, options, door, wake).run()


def _opened(
    store: Store,
    settings: AgentSettings,
    options: RunOptions,
    listeners: Sequence[socket.socket],
) -> tuple[Supervisor, Models]:
    identity = identify()
    control = options.control or RepositoryControl(settings)
    places = options.repositories or settings.repositories
    world = World(time.monotonic, time.sleep, random.random)
    transport = Transport([source_of(each) for each in places], options.patience, world)
    limits = worker_options(settings.memory_limit_mib)
    models = Models(store, listeners, options=limits, say=options.say)
    finder = Fetcher(store, settings, identity, control, transport)
    return Supervisor(store, identity, finder, models, control, say=options.say), models


def _listeners(store: Store, settings: AgentSettings) -> list[socket.socket]:
    path = store.folder / (settings.socket or "run/inference.sock")
    found = [unix_listener(path)]
    try:
        if settings.address:
            found.append(tcp_listener(settings.address, patience_seconds=_PORT_SECONDS))
    except EdgeworthyError:
        found[0].close()
        raise
    return found


@dataclass
class _Loop:
    """Waits for what happens next."""

    supervisor: Supervisor
    models: Models
    settings: AgentSettings
    options: RunOptions
    door: socket.socket
    wake: tuple[socket.socket, socket.socket]
    found: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    busy: bool = False
    failures: int = 0
    next_look: float = 0.0
    serving_since: float | None = None
    restart_at: float | None = None
    stopping: str = ""

    def run(self) -> None:
        """Until a signal comes."""
        self.supervisor.fetching = self._fetch
        self.supervisor.start(serves=True)
        wait = first_wait_seconds(self.settings.interval_seconds, random.random)
        self.next_look = time.monotonic() + wait
        notify("READY=1")
        while not self.stopping:
            self._sleep()
            self._take_found()
            self._watch()
            if time.monotonic() >= self.next_look and not self.busy:
                self._look()
        notify("STOPPING=1")
        self.supervisor.handle(Stopped(self.stopping))

    def _sleep(self) -> None:
        ping = watchdog_seconds()
        now = time.monotonic()
        ends = [now + min(_LONGEST_SLEEP_SECONDS, ping or _LONGEST_SLEEP_SECONDS)]
        if not self.busy:
            ends.append(self.next_look)
        if self.restart_at is not None:
            ends.append(self.restart_at)
        listened: list[socket.socket] = [self.door, self.wake[0]]
        if self.models.serving is not None:
            listened.append(self.models.serving.channel)
        ready, _, _ = select.select(listened, [], [], max(0.0, min(ends) - now))
        if ping:
            notify("WATCHDOG=1")
        if self.wake[0] in ready:
            for number in self.wake[0].recv(64):
                if number in {signal.SIGTERM, signal.SIGINT}:
                    self.stopping = signal.Signals(number).name
        if self.door in ready:
            answer_one(self.door, self._answer)

    def _take_found(self) -> None:
        while True:
            try:
                event = self.found.get_nowait()
            except queue.Empty:
                return
            self.busy = False
            self.failures = self.failures + 1 if isinstance(event, LookFailed) else 0
            self.supervisor.handle(event)
            asked = self.supervisor.control.next_look_seconds()
            wait = next_wait_seconds(
                self.settings.interval_seconds, self.failures, random.random, asked_seconds=asked
            )
            self.next_look = time.monotonic() + wait

    def _watch(self) -> None:
        """What became of the worker, and whether it has settled (rule 2)."""
        now = time.monotonic()
        self.supervisor.crash = self.models.watch() or self.supervisor.crash
        if self.models.serving is not None:
            self.supervisor.crash, self.restart_at = None, None
            self.serving_since = self.serving_since or now
            state = self.supervisor.state
            restless = state.unsettled_starts or state.fallen
            if restless and now - self.serving_since >= self.options.settle_seconds:
                self.supervisor.handle(Settled())
            return
        self.serving_since = None
        crash = self.supervisor.crash
        if crash is None:
            return
        if self.restart_at is None:
            starts = min(self.supervisor.state.unsettled_starts, 16)
            self.restart_at = now + min(_LONGEST_RESTART_SECONDS, (1 << starts) - 1)
        if now >= self.restart_at:
            self.supervisor.crash, self.restart_at = None, None
            self.supervisor.handle(crash)

    def _look(self) -> None:
        supervisor = self.supervisor
        if supervisor.resume():
            state = supervisor.state
            self._beside(lambda: supervisor.finder.look(state), LookFailed)
        elif not self.busy:
            self.next_look = time.monotonic() + self.settings.interval_seconds

    def _fetch(self, release: PublishedRelease) -> None:
        finder = self.supervisor.finder
        self._beside(lambda: finder.fetch(release), Postponed)

    def _beside(self, work: Callable[[], Event], failed: Callable[[str], Event]) -> None:
        """Wait on the network in another thread (rule 1)."""
        self.busy = True

        def work_and_tell() -> None:
            try:
                event = work()
            except Exception as error:  # noqa: BLE001 - a defect of ours must not end the agent
                event = failed(f"a defect: {type(error).__name__}: {error}")
            self.found.put(event)
            with contextlib.suppress(OSError):
                self.wake[1].send(b"\0")

        threading.Thread(target=work_and_tell, daemon=True).start()

    def _answer(self, question: Question) -> str:
        if question.ask == "look":
            self.next_look = time.monotonic()
            return "the agent looks at its repository now"
        if question.ask == "rollback":
            self.supervisor.handle(RollbackAsked(question.reason))
        left = max(0.0, self.next_look - time.monotonic())
        status = status_of(
            self.supervisor.store,
            self.supervisor.state,
            self.supervisor.identity,
            models=self.models,
            trouble=self.supervisor.trouble,
            next_look_seconds=left,
        )
        return encode_document(status).decode()


@contextlib.contextmanager
def _signals() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Signals become bytes on a socket that the loop waits for."""
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.settimeout(0)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    for each in before:
        signal.signal(each, lambda _number, _frame: None)
    old = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader, writer
    finally:
        signal.set_wakeup_fd(old)
        for each, handler in before.items():
            signal.signal(each, handler)
        reader.close()
        writer.close()
