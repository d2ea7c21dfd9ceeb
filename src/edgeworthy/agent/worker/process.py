"""The life of a worker: load, prove, serve, drain, end.

Rules:

1. The supervisor decides; the worker does what it is told and says what became of it.
2. An engine that hangs, memory above its limit and a defect of ours end the process: the
   supervisor starts it anew or goes back. Nothing is patched up in here.
3. Without a supervisor the worker finishes what is in work and ends.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from functools import partial
from typing import NoReturn

from edgeworthy.agent.worker.arguments import WorkerArguments
from edgeworthy.agent.worker.control import Control
from edgeworthy.agent.worker.draining import Draining
from edgeworthy.agent.worker.engine_threads import EngineThreads
from edgeworthy.agent.worker.handover import take_connection
from edgeworthy.agent.worker.limits import Limits
from edgeworthy.agent.worker.loaded_model import LoadedModel
from edgeworthy.agent.worker.loop import READ, Loop
from edgeworthy.agent.worker.memory import resident_bytes
from edgeworthy.agent.worker.proving import Proving
from edgeworthy.agent.worker.routes import Router
from edgeworthy.agent.worker.served_models import BareModel, RawModel
from edgeworthy.agent.worker.server import Server
from edgeworthy.documents.worker_control import (
    DrainCommand,
    Drained,
    Failed,
    FailureReason,
    Heartbeat,
    SelfTestCommand,
    ServeCommand,
    Serving,
)
from edgeworthy.errors import InputError

_ORPHAN_GRACE_SECONDS = 5.0
_TICK_SECONDS = 1.0
_DRAINING_TICK_SECONDS = 0.01
_MIB = 1 << 20


class WorkerEnds(Exception):  # noqa: N818 - an end, which may be a good one
    """The worker's work is over.

    Args:
        reason: What failed; ``None`` for an end as it should be.
        message: For people.
    """

    def __init__(self, reason: FailureReason | None = None, message: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Worker:
    """A loaded model and its supervisor.

    Args:
        arguments: Of the command line.
        control: The control channel.
        listeners: Listening sockets.
        model: In memory.
        started: Monotonic seconds at the start of the process.
    """

    def __init__(
        self,
        arguments: WorkerArguments,
        control: Control,
        listeners: list[socket.socket],
        model: LoadedModel,
        *,
        started: float,
    ) -> None:
        self._arguments = arguments
        self._control = control
        self._started = started
        self._listeners = listeners
        limits = Limits(
            body_bytes=arguments.largest_body_mib * _MIB,
            claimed_bytes=2 * arguments.largest_body_mib * _MIB,
            inference_seconds=arguments.inference_seconds,
        )
        manifest, variant = model.folder.manifest, model.variant
        self._router = Router(
            models=(
                BareModel(model.session, manifest, variant),
                RawModel(model.session, manifest, variant),
            ),
            limits=limits,
        )
        self._loop = Loop()
        self._engine = EngineThreads(arguments.engine_threads)
        self._proving = Proving(model, self._engine, control.report)
        self._server = Server(self._loop, listeners, self._router, self._engine, limits)
        self._draining: Draining | None = None
        self._ending = False
        self._deadline = 0.0
        self._next_beat = started

    def run(self) -> NoReturn:
        """Live until the end.

        Raises:
            WorkerEnds: It has come.
        """
        self._loop.add(self._control.fileno(), READ, self._commanded)
        self._loop.add(self._engine.wake_fd, READ, lambda _: self._engine.collect())
        # A handler runs between any two instructions, so it leaves no more than a note.
        signal.signal(signal.SIGTERM, self._asked_to_end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self._watch_over_loop, name="watch", daemon=True).start()
        while True:
            now = time.monotonic()
            if now >= self._next_beat:
                self._beat(now)
            if self._ending and self._draining is None:
                self._drain(None, _ORPHAN_GRACE_SECONDS)
            if self._draining is not None:
                self._go_on_draining(self._draining, now)
            longest = _TICK_SECONDS if self._draining is None else _DRAINING_TICK_SECONDS
            self._loop.run_once(min(longest, max(self._next_beat - now, 0.0)))

    def _watch_over_loop(self) -> NoReturn:
        """End the process when the loop hangs in an inference of its own."""
        limit = self._arguments.inference_seconds
        while True:
            time.sleep(max(limit / 4, _TICK_SECONDS / 10))
            since = self._server.here_since
            if since is not None and time.monotonic() - since > limit:
                self._control.report(_hangs(limit))
                end_process(1)

    def _asked_to_end(self, *_: object) -> None:
        self._ending = True

    def _commanded(self, _: int) -> None:
        try:
            found = self._control.command()
        except EOFError:
            self._loop.remove(self._control.fileno())
            self._drain(None, _ORPHAN_GRACE_SECONDS)
            return
        except InputError as error:
            raise WorkerEnds("control", error.paragraph()) from error
        if found is None:
            return
        command, channel = found
        if isinstance(command, SelfTestCommand):
            self._proving.begin(command)
        elif isinstance(command, ServeCommand):
            self._serve(channel)
        elif isinstance(command, DrainCommand):
            self._drain(channel, command.grace_seconds)
        else:
            raise WorkerEnds

    def _serve(self, predecessor: socket.socket | None) -> None:
        names = tuple(_address(listener) for listener in self._listeners)
        self._server.serve()
        if predecessor is not None:
            predecessor.settimeout(0.0)
            self._loop.add(predecessor.fileno(), READ, partial(self._adopt, predecessor))
        self._control.report(Serving(listeners=names))

    def _adopt(self, predecessor: socket.socket, _: int) -> None:
        try:
            while (moved := take_connection(predecessor)) is not None:
                self._server.adopt(moved)
        except (EOFError, InputError, OSError):
            # The other end is closed, or what comes is of no use: no request was read from it.
            self._loop.remove(predecessor.fileno())
            predecessor.close()

    def _drain(self, successor: socket.socket | None, grace_seconds: float) -> None:
        if self._draining is None:
            self._draining = Draining(successor)
            self._deadline = time.monotonic() + grace_seconds
            self._server.drain(self._draining)
        elif successor is not None:
            successor.close()

    def _go_on_draining(self, draining: Draining, now: float) -> None:
        self._server.move_idle()
        cut_count = 0
        if now > self._deadline:
            draining.closed_count += len(self._server.connections)
            cut_count = self._server.cut()
        if now > self._deadline or not self._server.connections:
            draining.end()
            self._control.report(
                Drained(
                    handed_over_count=draining.handed_over_count,
                    closed_count=draining.closed_count,
                    cut_count=cut_count,
                    request_count=self._router.counts.answered,
                )
            )
            raise WorkerEnds

    def _beat(self, now: float) -> None:
        self._next_beat = now + self._arguments.heartbeat_seconds
        self._server.tick(now)
        resident = resident_bytes()
        counts = self._router.counts
        self._control.report(
            Heartbeat(
                uptime_seconds=now - self._started,
                request_count=counts.answered,
                refused_count=counts.refused,
                failure_count=counts.failed,
                in_flight_count=len(self._engine),
                connection_count=len(self._server.connections),
                resident_bytes=resident,
            )
        )
        limit = self._arguments.memory_limit_mib * _MIB
        if limit and resident > limit:
            raise WorkerEnds(
                "memory",
                f"The worker uses {resident // _MIB} MiB, above its limit of "
                f"{limit // _MIB} MiB. Raise the limit, or ship a smaller variant.",
            )
        hanging = self._engine.hanging(now)
        if hanging is not None:
            self._proving.hangs()
            raise WorkerEnds("hang", _hangs(hanging.limit_seconds).message)


def end_process(exit_code: int) -> None:
    """End without waiting for threads, which may hang in the engine."""
    os._exit(exit_code)


def _hangs(limit_seconds: float) -> Failed:
    return Failed(
        reason="hang",
        message=f"An inference or self-test ran for more than {limit_seconds:g} s: the engine "
        "hangs.",
    )


def _address(listener: socket.socket) -> str:
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{name if isinstance(name, str) else name.decode(errors='replace')}"
    return f"{name[0]}:{name[1]}"
