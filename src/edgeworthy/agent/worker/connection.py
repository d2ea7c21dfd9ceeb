"""One client: its socket, what it sent and what it still has to take.

Rules:

1. One request is in work at a time; while it is, nothing more is read, so a client that sends
   ahead fills its own buffers and not ours.
2. What is slow is given up: a head, a body, a client that takes no answer, an idle connection.
3. After an error that ends the connection, what the client still sends is thrown away for a
   moment, so that the answer reaches it before the connection is reset.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from edgeworthy.agent.worker.http_answer import CONTINUE, Buffer
from edgeworthy.agent.worker.http_reader import RequestReader
from edgeworthy.agent.worker.limits import Limits
from edgeworthy.agent.worker.loop import READ, WRITE
from edgeworthy.documents.worker_control import Handover

_RECEIVED_BYTES = 32 << 10
_LINGER_SECONDS = 2.0
_MOST_BUFFERS = 64


class Connection:
    """A client.

    Args:
        channel: Its socket, not blocking.
        listener: Position of the listening socket that it came from.
        limits: Bounds.
        claim: See :class:`RequestReader`.
        now: Monotonic seconds.

    Attributes:
        busy: Whether a request is in work.
        keep_alive: Whether the connection stays open after the answer that is being made.
        head_only: Whether that answer goes without its body.
        gone: Whether the client left while its request was in work.
        closed: Whether the socket is closed.
        events: What the loop watches for.
    """

    def __init__(
        self,
        channel: socket.socket,
        listener: int,
        limits: Limits,
        claim: Callable[[int], bool],
        now: float,
    ) -> None:
        self.channel = channel
        self.listener = listener
        self.reader = RequestReader(limits, claim)
        self.busy = False
        self.keep_alive = True
        self.head_only = False
        self.gone = False
        self.closed = False
        self.lingering = False
        self.events = READ
        self._limits = limits
        self._unsent: list[Buffer] = []
        self._since = now
        self._continued = False

    @property
    def idle(self) -> bool:
        """Whether no request is in work, half read or half answered."""
        return not (self.busy or self._unsent or self.reader.begun or self.lingering)

    @property
    def answering(self) -> bool:
        """Whether the client has not taken all of its answer."""
        return bool(self._unsent)

    @property
    def can_move(self) -> bool:
        """Whether the connection can go to another process, with what was read ahead."""
        if self.busy or self._unsent or self.reader.in_body or self.lingering:
            return False
        return len(self.reader.rest()) <= Handover.LARGEST_BYTES

    @property
    def wanted_events(self) -> int:
        """What the loop should watch for."""
        if self._unsent:
            return WRITE
        return 0 if self.busy else READ

    def receive(self, now: float) -> bool:
        """Take what came; tells whether the client is still there.

        Raises:
            OSError: The connection is broken.
        """
        if not (self.reader.begun or self.lingering):
            self._since, self._continued = now, False
        room = self.reader.room()
        try:
            if room is not None and len(room):
                count = self.channel.recv_into(room)
                self.reader.filled(count)
                return count > 0
            data = self.channel.recv(_RECEIVED_BYTES)
        except (BlockingIOError, InterruptedError):
            return True
        if not self.lingering:
            self.reader.feed(data)
        return bool(data)

    def invite(self) -> None:
        """Tell a client that waits for it to send the body."""
        if self.reader.wants_continue and not self._continued:
            self._continued = True
            self._unsent.append(CONTINUE)

    def answer(self, buffers: list[Buffer], now: float) -> None:
        """Begin an answer."""
        self._unsent.extend(buffers)
        self._since = now

    def flush(self, now: float) -> bool:
        """Send what the client takes; tells whether that was all.

        Raises:
            OSError: The connection is broken.
        """
        while self._unsent:
            try:
                count = self.channel.sendmsg(self._unsent[:_MOST_BUFFERS])
            except (BlockingIOError, InterruptedError):
                return False
            self._since = now
            while self._unsent and count >= len(self._unsent[0]):
                count -= len(self._unsent.pop(0))
            if count:
                self._unsent[0] = memoryview(self._unsent[0])[count:]
        return True

    def linger(self, now: float) -> None:
        """Say that nothing more comes, and throw away what the client still sends."""
        self.lingering, self._since = True, now
        self.channel.shutdown(socket.SHUT_WR)

    def overdue(self, now: float) -> str:
        """What the client did not do in time; empty while it is in time."""
        waited = now - self._since
        if self.lingering:
            return "end" if waited > _LINGER_SECONDS else ""
        if self._unsent:
            return "take its answer" if waited > self._limits.write_seconds else ""
        if self.busy:
            return ""
        if self.reader.in_body:
            enough = self.reader.received_bytes / self._limits.body_bytes_per_second
            slow = waited > max(enough, self._limits.body_seconds)
            return "send its body" if slow else ""
        if self.reader.begun:
            return "send its head" if waited > self._limits.head_seconds else ""
        return "ask again" if waited > self._limits.idle_seconds else ""

    def close(self) -> None:
        """Close the socket."""
        self.closed = True
        self._unsent.clear()
        self.channel.close()
