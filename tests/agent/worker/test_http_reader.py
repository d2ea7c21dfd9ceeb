"""Requests out of bytes: whatever is sent, in whatever pieces."""

from __future__ import annotations

import contextlib
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.agent.worker.http_body import unpacked
from edgeworthy.agent.worker.http_head import HttpRefused, parse_head
from edgeworthy.agent.worker.http_reader import RequestReader
from edgeworthy.agent.worker.limits import Limits

LIMITS = Limits(head_bytes=512, header_count=8, body_bytes=1000)
tokens = st.text(st.sampled_from("abcXYZ019-_!"), min_size=1, max_size=8)
bodies = st.binary(max_size=200)


def fixed(body: bytes, path: str = "/v2", more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(pieces: list[bytes]) -> bytes:
    head = b"POST /v2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [f"{len(piece):x};x=1\r\n".encode() + piece + b"\r\n" for piece in pieces if piece]
    return head + b"".join(chunks) + b"0\r\nTrailer: t\r\n\r\n"


def read_all(data: bytes, cuts: list[int]) -> list[tuple[str, bytes]]:
    """Every request of a stream that arrives in pieces."""
    reader, found = RequestReader(LIMITS), []
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for first, last in itertools.pairwise(edges):
        piece = memoryview(data)[first:last]
        while len(piece):
            room = reader.room()
            if room is not None and len(room):
                count = min(len(room), len(piece))
                room[:count] = piece[:count]
                reader.filled(count)
                piece = piece[count:]
            else:
                reader.feed(bytes(piece))
                piece = piece[len(piece) :]
            while (request := reader.next_request()) is not None:
                found.append((request.head.path, bytes(request.body)))
    return found


def refusal(data: bytes) -> HttpRefused:
    with pytest.raises(HttpRefused) as caught:
        read_all(data, [])
    return caught.value


@given(st.lists(bodies, min_size=1, max_size=5), st.lists(st.integers(0, 5000), max_size=30))
def test_pieces_of_any_size_give_the_same_requests(sent: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(fixed(body, f"/{number}") for number, body in enumerate(sent))
    assert read_all(stream, cuts) == [(f"/{n}", body) for n, body in enumerate(sent)]


@given(st.lists(bodies, max_size=4), bodies, st.lists(st.integers(0, 5000), max_size=30))
def test_chunks_are_joined_and_what_follows_is_another_request(
    pieces: list[bytes], after: bytes, cuts: list[int]
) -> None:
    stream = chunked(pieces) + b"\r\n" + fixed(after, "/after")
    assert read_all(stream, cuts) == [("/v2", b"".join(pieces)), ("/after", after)]


@given(st.binary(max_size=800), st.lists(st.integers(0, 800), max_size=8))
def test_any_bytes_are_read_or_refused(data: bytes, cuts: list[int]) -> None:
    with contextlib.suppress(HttpRefused):
        read_all(data, cuts)


@given(tokens, tokens, st.dictionaries(tokens, st.text(st.characters(codec="latin-1")), max_size=8))
def test_any_head_is_read_or_refused(method: str, path: str, fields: dict[str, str]) -> None:
    lines = [f"{method} /{path} HTTP/1.1", "Host: a"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    with contextlib.suppress(HttpRefused):
        head = parse_head("\r\n".join(lines).encode("latin-1"), header_count=8)
        assert (head.method, head.path) == (method, f"/{path}")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/2.0\r\nHost: a", 505),
        ("GET / HTTP/1.1", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET  / HTTP/1.1\r\nHost: a", 400),
        ("GET /\x01 HTTP/1.1\r\nHost: a", 400),
        ("GET / HTTP/1.1\nHost: a", 400),
        ("GET / HTTP/1.1\r\nHost : a", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded: b", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + "9" * 40, 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501),
        ("GET / HTTP/1.1\r\nHost: a" + "\r\nX: y" * 9, 431),
        ("GET / HTTP/1.1\r\nHost: " + "a" * 600, 431),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(head: str, status: int) -> None:
    error = refusal(head.encode("latin-1") + b"\r\n\r\n")
    assert (error.status, error.ends) == (status, True)


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"zz\r\n", 400),
        (b"-1\r\n", 400),
        (b"1\r\nab\r\n", 400),
        (b"3e9\r\n", 413),
        (b"ffffffffffffffff\r\n", 400),
        (b"0" * 300, 400),
        (b"0\r\n" + b"A: b\r\n" * 3000, 431),
    ],
)
def test_malformed_chunks_are_refused(chunks: bytes, status: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refusal(head + chunks).status == status


def test_a_body_is_refused_when_there_is_no_room_for_it() -> None:
    asked: list[int] = []

    def claim(size_bytes: int) -> bool:
        asked.append(size_bytes)
        return False

    reader = RequestReader(LIMITS, claim)
    reader.feed(fixed(b"x" * 7))
    with pytest.raises(HttpRefused) as caught:
        reader.next_request()
    assert (caught.value.status, asked) == (503, [7])


def test_repeated_fields_are_joined_and_targets_lose_what_is_no_path() -> None:
    head = parse_head(b"GET http://h:1/v2?x=1 HTTP/1.1\r\nHost: a\r\nA: 1\r\na: 2", header_count=9)
    assert (head.path, head.headers["a"]) == ("/v2", "1, 2")


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [("1.1", "", True), ("1.1", "close", False), ("1.0", "", False), ("1.0", "keep-alive", True)],
)
def test_who_keeps_the_connection(version: str, connection: str, *, stays: bool) -> None:
    field = f"\r\nConnection: {connection}" if connection else ""
    head = parse_head(f"GET / HTTP/{version}\r\nHost: a{field}".encode(), header_count=9)
    assert head.keep_alive is stays


@given(bodies)
def test_what_was_packed_is_unpacked(body: bytes) -> None:
    for bits, coding in ((31, "gzip"), (15, "deflate")):
        packer = zlib.compressobj(wbits=bits)
        packed = packer.compress(body) + packer.flush()
        assert bytes(unpacked(memoryview(packed), coding, largest_bytes=200)) == body


@pytest.mark.parametrize(
    ("data", "coding", "status"),
    [
        (zlib.compress(bytes(10_000_000)), "deflate", 413),
        (b"no gzip", "gzip", 400),
        (zlib.compress(b"abc")[:-2], "deflate", 400),
        (zlib.compress(b"abc") + b"more", "deflate", 400),
        (b"abc", "br", 415),
    ],
)
def test_bombs_and_damage_are_refused(data: bytes, coding: str, status: int) -> None:
    with pytest.raises(HttpRefused) as caught:
        unpacked(memoryview(data), coding, largest_bytes=1000)
    assert caught.value.status == status
