"""Takes connections, reads requests, has them answered, and moves connections to a successor.

Rules:

1. One thread talks to all clients; what takes the engine is done by other threads, unless rule 4
   applies.
2. Each bound of :class:`Limits` is kept: a full house makes the longest idle connection go, then
   lets newcomers wait; more work than is waited for is refused with 503.
3. While it drains, the server accepts nothing, answers what is in work, and gives every other
   connection to its successor. No request that was read is dropped.
4. While there are few clients, nothing waits and inferences are short, the loop runs one at a time
   itself: for a model of some milliseconds a change of threads and back would cost a tenth.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from functools import partial

from edgeworthy.agent.worker.connection import Connection
from edgeworthy.agent.worker.draining import Draining
from edgeworthy.agent.worker.engine_threads import EngineThreads
from edgeworthy.agent.worker.handover import Moved
from edgeworthy.agent.worker.http_answer import Answer, error_answer
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.agent.worker.http_reader import Request
from edgeworthy.agent.worker.limits import Limits
from edgeworthy.agent.worker.loop import BROKEN, READ, WRITE, Loop
from edgeworthy.agent.worker.routes import Router, Work

_ACCEPTED_AT_ONCE = 16
_SHORT_SECONDS = 0.025
_FEW_CONNECTIONS = 4


class Server:
    """The server of one worker.

    Args:
        loop: Watches descriptors.
        listeners: Listening sockets.
        router: Finds answers.
        engine: Does the work.
        limits: Bounds.
    """

    def __init__(
        self,
        loop: Loop,
        listeners: Sequence[socket.socket],
        router: Router,
        engine: EngineThreads,
        limits: Limits,
    ) -> None:
        self.connections: dict[Connection, None] = {}
        self._loop = loop
        self._listeners = list(listeners)
        self._router = router
        self._engine = engine
        self._limits = limits
        self._claimed_bytes = 0
        self._accepting = False
        self._draining: Draining | None = None
        self._one_here = False
        #: When the loop itself began an inference; ``None`` while it runs none.
        self.here_since: float | None = None

    def serve(self) -> None:
        """Accept connections from now on."""
        self._router.ready = True
        self._accept_more()

    def adopt(self, moved: Moved) -> None:
        """Go on with a connection that the worker before had."""
        connection = self._admit(moved.channel, moved.listener)
        connection.reader.feed(moved.rest)
        self._advance(connection)

    def drain(self, draining: Draining) -> None:
        """Accept no more, and give away or close what is idle."""
        self._draining = draining
        self._accept_no_more()
        for listener in self._listeners:
            listener.close()
        self.move_idle()

    def move_idle(self) -> None:
        """Give away every connection that can go now."""
        for connection in list(self.connections):
            self._part(connection)

    def cut(self) -> int:
        """Close what is left; returns how many had a request in work."""
        in_work = sum(not connection.idle for connection in self.connections)
        for connection in list(self.connections):
            self._close(connection)
        return in_work

    def tick(self, now: float) -> None:
        """Give up what is slow."""
        for connection in list(self.connections):
            late = connection.overdue(now)
            if late.startswith("send"):
                connection.keep_alive = False
                self._answer(connection, error_answer(408, f"the client did not {late} in time"))
            elif late:
                self._close(connection)
        if self._router.ready and self._draining is None:
            self._accept_more()

    def _accept_more(self) -> None:
        if not self._accepting:
            self._accepting = True
            for position, listener in enumerate(self._listeners):
                self._loop.add(listener.fileno(), READ, partial(self._accept, position))

    def _accept_no_more(self) -> None:
        if self._accepting:
            self._accepting = False
            for listener in self._listeners:
                self._loop.remove(listener.fileno())

    def _accept(self, position: int, _: int) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self.connections) >= self._limits.connection_count and not self._make_room():
                self._accept_no_more()  # the next tick looks again
                return
            try:
                channel, _ = self._listeners[position].accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor is left: the next tick looks again
                self._accept_no_more()
                return
            channel.settimeout(0.0)
            if channel.family != socket.AF_UNIX:
                channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._admit(channel, position)

    def _make_room(self) -> bool:
        # The oldest stands first: an idle connection is put behind after each answer.
        for connection in self.connections:
            if connection.idle:
                self._close(connection)
                return True
        return False

    def _admit(self, channel: socket.socket, position: int) -> Connection:
        connection = Connection(channel, position, self._limits, self._claim, time.monotonic())
        self.connections[connection] = None
        self._loop.add(channel.fileno(), READ, partial(self._happened, connection))
        return connection

    def _claim(self, size_bytes: int) -> bool:
        if self._claimed_bytes + size_bytes > self._limits.claimed_bytes:
            return False
        self._claimed_bytes += size_bytes
        return True

    def _release(self, connection: Connection) -> None:
        self._claimed_bytes -= connection.reader.claimed_bytes
        connection.reader.claimed_bytes = 0

    def _happened(self, connection: Connection, events: int) -> None:
        now = time.monotonic()
        self._one_here = True
        if events & BROKEN:
            self._lose(connection)
            return
        try:
            if events & WRITE and connection.flush(now):
                self._answered(connection, now)
            elif events & READ and not connection.receive(now):
                self._close(connection)
                return
        except OSError:
            self._close(connection)
            return
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Begin with the next request, if all of it is here and nothing is in work."""
        while not (connection.closed or connection.busy or connection.answering):
            if self._part(connection) or connection.lingering:
                break
            try:
                request = connection.reader.next_request()
            except HttpRefused as refusal:
                self._refuse(connection, refusal)
                continue
            if request is None:
                connection.invite()
                self._flush(connection)
                break
            self._begin(connection, request)
        self._watch(connection)

    def _begin(self, connection: Connection, request: Request) -> None:
        alone = self._draining is not None and not self._draining.open
        connection.keep_alive = request.head.keep_alive and not alone
        connection.head_only = request.head.method == "HEAD"
        try:
            outcome = self._router.route(request)
        except HttpRefused as refusal:
            self._refuse(connection, refusal)
            return
        if isinstance(outcome, Answer):
            self._answer(connection, outcome)
        elif self._may_run_here(outcome):
            self._run_here(connection, outcome)
        elif len(self._engine) >= self._limits.waiting_count:
            self._refuse(connection, HttpRefused(503, "too many requests wait; try again"))
        else:
            connection.busy = True
            limit = self._limits.inference_seconds
            self._engine.submit(outcome.run, partial(self._done, connection), limit)

    def _may_run_here(self, work: Work) -> bool:
        """Whether the loop may do the work itself, which spares two changes of threads (rule 4)."""
        recent = self._router.counts.recent_seconds
        short = 0.0 < recent <= _SHORT_SECONDS
        alone = len(self._engine) == 0 and len(self.connections) <= _FEW_CONNECTIONS
        return short and alone and work.quick and self._one_here

    def _run_here(self, connection: Connection, work: Work) -> None:
        self._one_here = False
        self.here_since = time.monotonic()
        try:
            answer = work.run()
        except Exception as error:  # noqa: BLE001 - the client is told, the server lives on
            self._router.counts.failed += 1
            answer = _defect(error)
        self.here_since = None
        self._answer(connection, answer)

    def _done(self, connection: Connection, answer: Answer | None, error: object) -> None:
        connection.busy = False
        if connection.closed or connection.gone:
            self._close(connection)
            return
        if answer is None:
            self._router.counts.failed += 1
            answer = _defect(error)
        self._answer(connection, answer)
        self._advance(connection)

    def _refuse(self, connection: Connection, refusal: HttpRefused) -> None:
        self._router.counts.refused += 1
        connection.keep_alive = connection.keep_alive and not refusal.ends
        self._answer(connection, error_answer(refusal.status, refusal.message))

    def _answer(self, connection: Connection, answer: Answer) -> None:
        self._release(connection)
        buffers = answer.message(keep_alive=connection.keep_alive, head_only=connection.head_only)
        connection.answer(buffers, time.monotonic())
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        now = time.monotonic()
        try:
            if connection.flush(now):
                self._answered(connection, now)
        except OSError:
            self._close(connection)
        self._watch(connection)

    def _answered(self, connection: Connection, now: float) -> None:
        if not connection.keep_alive:
            connection.linger(now)
        elif connection in self.connections:
            del self.connections[connection]
            self.connections[connection] = None

    def _part(self, connection: Connection) -> bool:
        """While draining: whether the connection is this server's no more."""
        draining = self._draining
        if draining is None or not connection.can_move:
            return False
        if draining.open:
            if not draining.give(connection):
                return False
        elif not connection.idle:
            return False
        else:
            draining.closed_count += 1
        self._close(connection)
        return True

    def _lose(self, connection: Connection) -> None:
        if connection.busy:  # the engine is at it: nobody is there to take the answer
            connection.gone = True
            self._loop.remove(connection.channel.fileno())
        else:
            self._close(connection)

    def _watch(self, connection: Connection) -> None:
        wanted = connection.wanted_events
        if not (connection.closed or connection.gone) and connection.events != wanted:
            connection.events = wanted
            self._loop.change(connection.channel.fileno(), wanted)

    def _close(self, connection: Connection) -> None:
        if not connection.closed:
            self._loop.remove(connection.channel.fileno())
            connection.close()
        if not connection.busy:
            self._release(connection)
            self.connections.pop(connection, None)


def _defect(error: object) -> Answer:
    return error_answer(500, f"a defect of the server: {type(error).__name__}")
