"""A new worker takes the place of the old one, and no client notices."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.worker.clients import BODY, Crowd, connected
from agent.worker.releases import linear_release
from agent.worker.supervising import (
    WorkerProcess,
    listen_on_path,
    listen_on_tcp,
    move,
)
from edgeworthy.documents.worker_control import DrainCommand, Drained, ServeCommand

SWAPS = 10


def version(number: int) -> str:
    return f"1.{number}.0"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("releases")
    return [
        linear_release(version=version(number)).write(folder / version(number))
        for number in range(SWAPS + 1)
    ]


@pytest.fixture
def workers() -> Iterator[list[WorkerProcess]]:
    started: list[WorkerProcess] = []
    yield started
    for worker in started:
        worker.end()


def started(
    workers: list[WorkerProcess], release: Path, *listeners: socket.socket
) -> WorkerProcess:
    worker = WorkerProcess(release, listeners, "--heartbeat-seconds", "0.2")
    workers.append(worker)
    worker.loaded()
    return worker


@pytest.mark.slow
def test_ten_updates_under_constant_requests_lose_none(
    releases: list[Path], workers: list[WorkerProcess], tmp_path: Path
) -> None:
    path = str(tmp_path / "model.sock")
    with listen_on_path(Path(path)) as unix, listen_on_tcp() as tcp:
        old = started(workers, releases[0], unix, tcp)
        old.serve()
        with Crowd(path, 3) as near, Crowd(tcp.getsockname(), 3) as far:
            for release in releases[1:]:
                new = started(workers, release, unix, tcp)
                assert new.self_test().passed
                drained = move(old, new)
                assert drained.cut_count == 0
                old = new
        assert near.failures == []
        assert far.failures == []
        for crowd in (near, far):
            assert set(crowd.answers) >= {version(0), version(SWAPS)}


def test_a_connection_moves_with_what_was_read_ahead(
    releases: list[Path], workers: list[WorkerProcess]
) -> None:
    with listen_on_tcp() as listener:
        old = started(workers, releases[0], listener)
        old.serve()
        client = socket.create_connection(listener.getsockname())
        client.settimeout(30)
        message = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\nContent-Length: "
        message += str(len(BODY)).encode() + b"\r\n\r\n" + BODY
        client.sendall(message)
        assert b'"model_version":"1.0.0"' in client.recv(4096)
        client.sendall(message[:20])
        while old.beat().connection_count != 1:
            pass
        new = started(workers, releases[1], listener)
        drained = move(old, new)
        assert (drained.handed_over_count, drained.closed_count) == (1, 0)
        client.sendall(message[20:])
        assert b'"model_version":"1.1.0"' in client.recv(4096)
        client.close()


def test_a_body_on_its_way_is_waited_for(
    releases: list[Path], workers: list[WorkerProcess]
) -> None:
    with listen_on_tcp() as listener:
        old = started(workers, releases[0], listener)
        old.serve()
        client = socket.create_connection(listener.getsockname())
        client.settimeout(30)
        head = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(BODY))
        assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        new = started(workers, releases[1], listener)
        giving, taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with giving, taking:
            new.serve(taking)
            old.say(DrainCommand(hands_over=True), giving)
        client.sendall(BODY)
        assert b'"model_version":"1.0.0"' in client.recv(4096)
        drained = old.hear(Drained)
        assert (drained.handed_over_count, drained.cut_count) == (1, 0)
        client.sendall(b"GET /v2/models/tiny/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        client.close()


def test_what_does_not_end_within_the_grace_is_cut_and_counted(
    releases: list[Path], workers: list[WorkerProcess]
) -> None:
    with listen_on_tcp() as listener:
        worker = started(workers, releases[0], listener)
        worker.serve()
        client = socket.create_connection(listener.getsockname())
        client.settimeout(30)
        client.sendall(
            b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
        )
        while worker.beat().connection_count != 1:
            pass
        drained = worker.drain(grace_seconds=0.2)
        assert (drained.cut_count, drained.closed_count) == (1, 1)
        assert client.recv(1) == b""
        client.close()


def test_a_successor_that_dies_costs_idle_connections_only(
    releases: list[Path], workers: list[WorkerProcess]
) -> None:
    with listen_on_tcp() as listener:
        old = started(workers, releases[0], listener)
        old.serve()
        client = connected(listener.getsockname())
        client.request("POST", "/v2/models/tiny/infer", BODY)
        assert client.getresponse().read()
        new = started(workers, releases[1], listener)
        giving, taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with giving:
            with taking:
                new.say(ServeCommand(adopts=True), taking)
            new.end()
            drained = old.drain(giving)
        assert (drained.handed_over_count, drained.closed_count) == (0, 1)
        client.close()
