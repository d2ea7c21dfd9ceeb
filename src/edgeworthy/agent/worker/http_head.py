r"""The head of an HTTP/1.1 request: bytes in, a checked record or a refusal out.

Rules:

1. Lines end with CR LF; a bare LF, a folded line, a space before a colon and a control character
   are refused, because two readers could understand them in two ways.
2. What frames the body is unambiguous: one length in plain digits, or ``chunked`` alone, never
   both, never two that differ.
3. A refusal carries the status that the client gets and one sentence.

Source: RFC 9112 (message syntax) and RFC 9110 (semantics).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What ends a head.
END = b"\r\n\r\n"
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[\x21-\x7e]+")
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_LENGTH_DIGITS = 15


class HttpRefused(Exception):  # noqa: N818 - the client's mistake, not a malfunction of ours
    """A request that is answered with an error.

    Args:
        status: Of the answer.
        message: One sentence for the client.
        ends: Whether what follows on the connection cannot be trusted, so that it is closed.
    """

    def __init__(self, status: int, message: str, *, ends: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.ends = ends


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body.

    Attributes:
        method: For example ``POST``.
        path: Of the target, without the query.
        headers: By name in small letters; repeated fields joined with a comma.
        content_length: Bytes of the body; 0 without one, ``None`` when it comes in chunks.
        keep_alive: Whether the client would send another request after this one.
    """

    method: str
    path: str
    headers: dict[str, str]
    content_length: int | None
    keep_alive: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.headers.get("expect", "").lower() == "100-continue"


def parse_head(data: bytes, *, header_count: int) -> Head:
    r"""Read a head.

    Args:
        data: Request line and fields, without the empty line that ends them.
        header_count: Most header fields.

    Raises:
        HttpRefused: One of the rules is broken.

    >>> parse_head(b"GET /v2 HTTP/1.1\r\nHost: a", header_count=9).path
    '/v2'
    """
    request_line, *lines = data.split(b"\r\n")
    method, target, minor = _request_line(request_line)
    if len(lines) > header_count:
        raise HttpRefused(431, f"more than {header_count} header fields", ends=True)
    headers = _fields(lines)
    if minor and "host" not in headers:
        raise HttpRefused(400, "no Host field", ends=True)
    connection = {word.strip().lower() for word in headers.get("connection", "").split(",")}
    return Head(
        method=method,
        path=_path(target),
        headers=headers,
        content_length=_framing(headers, minor),
        keep_alive="close" not in connection if minor else "keep-alive" in connection,
    )


def _request_line(line: bytes) -> tuple[str, str, int]:
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TARGET.fullmatch(parts[1]):  # noqa: PLR2004 - method, target, version
        raise HttpRefused(400, "not a request line of HTTP/1.1", ends=True)
    version = _VERSION.fullmatch(parts[2])
    if version is None:
        raise HttpRefused(400, "not a request line of HTTP/1.1", ends=True)
    if version[1] != b"1":
        raise HttpRefused(505, "only HTTP/1.0 and HTTP/1.1 are spoken here", ends=True)
    return parts[0].decode("ascii"), parts[1].decode("ascii"), int(version[2])


def _path(target: str) -> str:
    if target.startswith(("http://", "https://")):
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0].partition("#")[0]


def _fields(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise HttpRefused(400, "a malformed header field", ends=True)
        key = name.decode("ascii").lower()
        text = value.strip(b" \t").decode("latin-1")
        if key in headers:
            if key == "host":
                raise HttpRefused(400, "two Host fields", ends=True)
            text = f"{headers[key]}, {text}"
        headers[key] = text
    return headers


def _framing(headers: dict[str, str], minor: int) -> int | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or not minor:
            raise HttpRefused(400, "the length of the body is stated in two ways", ends=True)
        if coding.lower() != "chunked":
            raise HttpRefused(501, "no transfer coding but `chunked` is known here", ends=True)
        return None
    if length is None:
        return 0
    stated = {each.strip(" \t") for each in length.split(",")}
    digits = stated.pop()
    if stated or not (digits.isascii() and digits.isdecimal()):
        raise HttpRefused(400, "a Content-Length that is no number", ends=True)
    if len(digits.lstrip("0")) > _LONGEST_LENGTH_DIGITS:
        raise HttpRefused(413, "a body of absurd size", ends=True)
    return int(digits)
