"""A supervisor for tests and benchmarks: starts real workers and speaks with them."""

from __future__ import annotations

import array
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from edgeworthy.documents.self_test import SelfTest
from edgeworthy.documents.worker_control import (
    LARGEST_PACKET_BYTES,
    Command,
    DrainCommand,
    Drained,
    Failed,
    Heartbeat,
    Loaded,
    Report,
    SelfTestCommand,
    SelfTested,
    ServeCommand,
    Serving,
    decode_report,
    encode_message,
)

ReportT = TypeVar("ReportT", bound=Report)
_PATIENCE_SECONDS = 60.0


class WorkerProcess:
    """One worker and the supervisor's end of its control channel."""

    def __init__(
        self,
        release: Path,
        listeners: Sequence[socket.socket] = (),
        *options: str,
        variant: str = "float32",
        program: Sequence[str] = (sys.executable, "-m", "edgeworthy.agent.worker"),
    ) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(_PATIENCE_SECONDS)
        arguments = ["--release", str(release), "--variant", variant]
        arguments += ["--control-fd", str(theirs.fileno())]
        for listener in listeners:
            arguments += ["--listen-fd", str(listener.fileno())]
        self.process = subprocess.Popen(
            [*program, *arguments, *options],
            pass_fds=[theirs.fileno(), *(listener.fileno() for listener in listeners)],
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        theirs.close()
        self.beats: list[Heartbeat] = []

    def say(self, command: Command, beside: socket.socket | None = None) -> None:
        rights = []
        if beside is not None:
            numbers = array.array("i", [beside.fileno()])
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)]
        self.control.sendmsg([encode_message(command)], rights)

    def hear(self, kind: type[ReportT]) -> ReportT:
        """The next report that is no heartbeat; it must be of this kind."""
        while True:
            packet = self.control.recv(LARGEST_PACKET_BYTES)
            assert packet, f"the worker ended before it said {kind.__name__}"
            report = decode_report(packet)
            if isinstance(report, kind):
                return report
            assert isinstance(report, Heartbeat), report
            self.beats.append(report)

    def beat(self) -> Heartbeat:
        """A fresh heartbeat."""
        return self.hear(Heartbeat)

    def loaded(self) -> Loaded:
        return self.hear(Loaded)

    def failed(self) -> Failed:
        return self.hear(Failed)

    def serve(self, predecessor: socket.socket | None = None) -> Serving:
        self.say(ServeCommand(adopts=predecessor is not None), predecessor)
        return self.hear(Serving)

    def self_test(self, **options: object) -> SelfTest:
        self.say(SelfTestCommand(**options))  # type: ignore[arg-type]
        return self.hear(SelfTested).result

    def drain(
        self, successor: socket.socket | None = None, *, grace_seconds: float = 30.0
    ) -> Drained:
        command = DrainCommand(grace_seconds=grace_seconds, hands_over=successor is not None)
        self.say(command, successor)
        drained = self.hear(Drained)
        assert self.process.wait(_PATIENCE_SECONDS) == 0
        return drained

    def end(self) -> None:
        self.control.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(_PATIENCE_SECONDS)


def move(old: WorkerProcess, new: WorkerProcess, *, grace_seconds: float = 30.0) -> Drained:
    """Let a new worker, loaded and proven, take the place of the old one."""
    giving, taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with giving, taking:
        new.serve(taking)
        drained = old.drain(giving, grace_seconds=grace_seconds)
    old.end()
    return drained


def listen_on_path(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def listen_on_tcp() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=128)


@contextmanager
def serving(
    release: Path, *listeners: socket.socket, options: Sequence[str] = ()
) -> Iterator[WorkerProcess]:
    """A worker that serves."""
    worker = WorkerProcess(release, listeners, *options)
    try:
        worker.loaded()
        worker.serve()
        yield worker
    finally:
        worker.end()
