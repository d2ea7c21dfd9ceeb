"""The body of an HTTP/1.1 request, from pieces of any size.

Rules:

1. A body of a known length is received into one block of that size, so that a tensor is not copied
   on the way.
2. Chunks are bounded like everything else: line length, trailer, sum of all.
3. What is compressed is unpacked up to the same bound and no further.

Source: RFC 9112, sections 6 and 7.
"""

from __future__ import annotations

import re
import zlib

from edgeworthy.agent.worker.http_head import HttpRefused

_LONGEST_LINE_BYTES = 256
_LONGEST_TRAILER_BYTES = 8 << 10
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_GZIP_OR_ZLIB = 47


class FixedBody:
    """A body whose length was stated.

    Args:
        size_bytes: The length.
    """

    def __init__(self, size_bytes: int) -> None:
        self._block = bytearray(size_bytes)
        self._filled = 0

    @property
    def received_bytes(self) -> int:
        """What came so far."""
        return self._filled

    @property
    def done(self) -> bool:
        """Whether all of it came."""
        return self._filled == len(self._block)

    def room(self) -> memoryview:
        """Where the next bytes belong."""
        return memoryview(self._block)[self._filled :]

    def filled(self, count: int) -> None:
        """Say how many bytes were put there."""
        self._filled += count

    def take(self, buffer: bytearray) -> None:
        """Move what belongs to the body out of a buffer."""
        count = min(len(buffer), len(self._block) - self._filled)
        self._block[self._filled : self._filled + count] = buffer[:count]
        del buffer[:count]
        self._filled += count

    def content(self) -> memoryview:
        """The whole body."""
        return memoryview(self._block)


class ChunkedBody:
    """A body that comes in chunks.

    Args:
        largest_bytes: Of all chunks together.
    """

    def __init__(self, largest_bytes: int) -> None:
        self._largest_bytes = largest_bytes
        self._content = bytearray()
        self._left = 0
        self._after_chunk = False
        self._trailer_bytes = -1
        self.done = False

    @property
    def received_bytes(self) -> int:
        """What came so far."""
        return len(self._content)

    def room(self) -> memoryview | None:
        """Nothing is received in place: where chunks end is not known."""
        return None

    def take(self, buffer: bytearray) -> None:
        """Move what belongs to the body out of a buffer.

        Raises:
            HttpRefused: It is malformed or too large.
        """
        while not self.done and self._step(buffer):
            pass

    def content(self) -> memoryview:
        """The whole body."""
        return memoryview(self._content)

    def _step(self, buffer: bytearray) -> bool:
        """Whether there was progress."""
        if self._left:
            count = min(self._left, len(buffer))
            self._content += buffer[:count]
            del buffer[:count]
            self._left -= count
            self._after_chunk = not self._left
            return bool(count)
        longest = _LONGEST_LINE_BYTES if self._trailer_bytes < 0 else _LONGEST_TRAILER_BYTES
        line = _line(buffer, longest)
        if line is None:
            return False
        if self._trailer_bytes >= 0:
            self._trailer(line)
        elif self._after_chunk:
            self._after_chunk = False
            if line:
                raise HttpRefused(400, "a chunk is longer than it says", ends=True)
        else:
            self._begin(line)
        return True

    def _begin(self, line: bytes) -> None:
        found = _CHUNK_LINE.fullmatch(line)
        if found is None:
            raise HttpRefused(400, "a malformed chunk", ends=True)
        self._left = int(found[1], 16)
        if len(self._content) + self._left > self._largest_bytes:
            raise too_large(self._largest_bytes)
        if not self._left:
            self._trailer_bytes = 0

    def _trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _LONGEST_TRAILER_BYTES:
            raise HttpRefused(431, "a trailer that is too long", ends=True)
        self.done = not line


def too_large(largest_bytes: int) -> HttpRefused:
    """What a client hears whose body is too large."""
    return HttpRefused(
        413,
        f"the body is larger than {largest_bytes} bytes, the most that this server takes",
        ends=True,
    )


def unpacked(content: memoryview, encoding: str, *, largest_bytes: int) -> memoryview:
    """A body without its content coding.

    Args:
        content: As it came.
        encoding: The field ``Content-Encoding``; empty and ``identity`` change nothing.
        largest_bytes: Of the body without it.

    Raises:
        HttpRefused: The coding is unknown, the bytes are damaged, or too many come out.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return content
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise HttpRefused(415, f"no content coding `{encoding[:40]}` here: gzip, deflate, identity")
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(content, largest_bytes + 1)
    except zlib.error as error:
        raise HttpRefused(400, f"the body is not {coding} data: {error}") from error
    if len(plain) > largest_bytes:
        raise HttpRefused(413, f"the body unpacks to more than {largest_bytes} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise HttpRefused(400, f"the body is not one complete {coding} stream")
    return memoryview(plain)


def _line(buffer: bytearray, longest: int) -> bytes | None:
    end = buffer.find(b"\r\n", 0, longest + 2)
    if end < 0:
        if len(buffer) > longest:
            raise HttpRefused(400, "a line of a chunked body is too long", ends=True)
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line
