"""Slow and rude clients, with a clock that the test moves."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edgeworthy.agent.worker.connection import Connection
from edgeworthy.agent.worker.limits import Limits

LIMITS = Limits(
    head_seconds=10.0,
    body_seconds=15.0,
    body_bytes_per_second=100.0,
    idle_seconds=75.0,
    write_seconds=30.0,
)
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0.0)
    yield Connection(ours, 0, LIMITS, lambda _: True, 0.0), theirs
    ours.close()
    theirs.close()


def test_who_says_nothing_is_closed_after_a_while(pair: tuple[Connection, socket.socket]) -> None:
    connection, _ = pair
    assert connection.overdue(75.0) == ""
    assert connection.overdue(75.1) == "ask again"


def test_a_head_that_drips_is_given_up(pair: tuple[Connection, socket.socket]) -> None:
    connection, client = pair
    for second, byte in enumerate(b"GET /v2 HTTP"):
        client.sendall(bytes([byte]))
        assert connection.receive(60.0 + second)
        assert connection.reader.next_request() is None
    assert connection.overdue(70.0) == ""
    assert connection.overdue(70.1) == "send its head"


def test_a_body_may_be_slow_for_a_while_and_must_be_fast_enough_then(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, client = pair
    client.sendall(HEAD + bytes(2000))
    assert connection.receive(0.0)
    assert connection.reader.next_request() is None
    assert connection.overdue(20.0) == ""
    assert connection.overdue(20.1) == "send its body"
    client.sendall(bytes(500))
    assert connection.receive(20.1)
    assert connection.overdue(25.0) == ""


def test_a_client_that_takes_nothing_is_given_up(pair: tuple[Connection, socket.socket]) -> None:
    connection, client = pair
    connection.answer([bytes(1 << 24)], 0.0)
    assert not connection.flush(1.0)
    assert connection.overdue(31.0) == ""
    assert connection.overdue(31.1) == "take its answer"
    assert client.recv(1 << 20)
    assert not connection.flush(40.0)
    assert connection.overdue(69.9) == ""


def test_nothing_moves_while_a_request_is_in_work_or_half_read(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, client = pair
    assert connection.can_move
    client.sendall(HEAD[:10])
    connection.receive(0.0)
    assert connection.can_move
    assert connection.reader.rest() == HEAD[:10]
    client.sendall(HEAD[10:])
    connection.receive(0.0)
    connection.reader.next_request()
    assert (connection.can_move, connection.idle) == (False, False)


def test_after_an_error_what_still_comes_is_thrown_away(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, client = pair
    connection.answer([b"an error"], 0.0)
    assert connection.flush(0.0)
    connection.linger(0.0)
    assert client.recv(100) == b"an error"
    assert client.recv(100) == b""
    client.sendall(bytes(1000))
    assert connection.receive(1.0)
    assert not connection.reader.begun
    assert connection.overdue(2.1) == "end"
