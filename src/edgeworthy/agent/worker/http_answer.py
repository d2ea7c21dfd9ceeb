"""Answers: a status, a body and few fields, as buffers that go out without being joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

import msgspec

Buffer: TypeAlias = bytes | memoryview
JSON = "application/json"
BINARY = "application/octet-stream"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets.

    Attributes:
        status: Of HTTP.
        buffers: The body, in pieces.
        content_type: Of the body.
        fields: More header fields.
    """

    status: int
    buffers: Sequence[Buffer] = ()
    content_type: str = JSON
    fields: dict[str, str] = field(default_factory=dict)

    def message(self, *, keep_alive: bool, head_only: bool) -> list[Buffer]:
        """The whole message, as buffers.

        Args:
            keep_alive: Whether the connection stays open.
            head_only: Leave the body out, for ``HEAD``.
        """
        size = sum(len(buffer) for buffer in self.buffers)
        lines = [
            f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, 'Unknown')}",
            f"Content-Length: {size}",
        ]
        if size:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.fields.items()]
        if not keep_alive:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return [head] if head_only else [head, *self.buffers]


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, (msgspec.json.encode(value),))


def error_answer(status: int, message: str) -> Answer:
    """An error as the Open Inference Protocol wants it.

    >>> bytes(error_answer(404, "no such model").buffers[0])
    b'{"error":"no such model"}'
    """
    fields = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Answer(status, (msgspec.json.encode({"error": message}),), JSON, fields)
