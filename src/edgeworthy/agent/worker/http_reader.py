"""Requests out of the bytes of one connection.

Rules:

1. However the bytes are cut into pieces, the same requests come out.
2. One request at a time: what follows it on the connection stays in the buffer until it is asked
   for, so a client may send several at once.
3. Nothing grows without a bound; a body is counted from the moment that its length is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeworthy.agent.worker.http_body import ChunkedBody, FixedBody, too_large
from edgeworthy.agent.worker.http_head import END, Head, HttpRefused, parse_head
from edgeworthy.agent.worker.limits import Limits

_EMPTY_LINE = b"\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request.

    Attributes:
        head: Method, path, fields.
        body: As it came, still compressed if it was.
    """

    head: Head
    body: memoryview


class RequestReader:
    """Takes bytes, gives requests.

    Args:
        limits: Bounds.
        claim: Asked for the room of a body, in bytes; says whether there is any. What was claimed
            is in :attr:`claimed_bytes` until the next request begins.
    """

    def __init__(self, limits: Limits, claim: Callable[[int], bool] = lambda _: True) -> None:
        self._limits = limits
        self._claim = claim
        self._buffer = bytearray()
        self._head: Head | None = None
        self._body: FixedBody | ChunkedBody = FixedBody(0)
        self.claimed_bytes = 0

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._head is not None or bool(self._buffer)

    @property
    def in_body(self) -> bool:
        """Whether the head is complete and the body is not."""
        return self._head is not None

    @property
    def received_bytes(self) -> int:
        """Bytes of the body so far."""
        return self._body.received_bytes

    @property
    def wants_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        head = self._head
        return head is not None and head.expects_continue and not self._buffer

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data

    def room(self) -> memoryview | None:
        """Where the next bytes may be received without a copy; ``None`` for :meth:`feed`."""
        return self._body.room() if self._head is not None and not self._buffer else None

    def filled(self, count: int) -> None:
        """Say how many bytes were received there."""
        if isinstance(self._body, FixedBody):
            self._body.filled(count)

    def next_request(self) -> Request | None:
        """The next request, once all of it is here.

        Raises:
            HttpRefused: It is malformed or too large. Nothing more can be read after one that
                ends the connection.
        """
        if self._head is None:
            self._head = self._next_head()
        if self._head is None:
            return None
        self._body.take(self._buffer)
        if not self._body.done:
            return None
        request = Request(self._head, self._body.content())
        self._head, self._body = None, FixedBody(0)
        return request

    def rest(self) -> bytes:
        """The bytes that belong to no finished request, while no body is being received."""
        return bytes(self._buffer)

    def _next_head(self) -> Head | None:
        while self._buffer.startswith(_EMPTY_LINE):
            del self._buffer[: len(_EMPTY_LINE)]
        end = self._buffer.find(END, 0, self._limits.head_bytes)
        if end < 0:
            if len(self._buffer) >= self._limits.head_bytes:
                raise HttpRefused(
                    431, f"the head is larger than {self._limits.head_bytes} bytes", ends=True
                )
            return None
        head = parse_head(bytes(self._buffer[:end]), header_count=self._limits.header_count)
        self._body = self._body_of(head)
        del self._buffer[: end + len(END)]
        return head

    def _body_of(self, head: Head) -> FixedBody | ChunkedBody:
        largest = self._limits.body_bytes
        size = largest if head.content_length is None else head.content_length
        if size > largest:
            raise too_large(largest)
        if size and not self._claim(size):
            raise HttpRefused(503, "too many large requests at once; try again", ends=True)
        self.claimed_bytes = size
        return ChunkedBody(largest) if head.content_length is None else FixedBody(size)
