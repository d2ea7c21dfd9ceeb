"""A worker process as its supervisor sees it: started, spoken to, listened to, ended.

Rules:

1. The process gets its listening sockets and its control channel by inheritance and nothing else;
   its messages are those of :mod:`edgeworthy.documents.worker_control`.
2. Every wait has an end. A worker that says nothing for too long is killed.
3. Whatever a worker sends is input: a packet that is none of its reports ends it.
"""

from __future__ import annotations

import contextlib
import errno
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from edgeworthy.agent.asking import short_name
from edgeworthy.agent.notifying import notify
from edgeworthy.documents.agent import Slot
from edgeworthy.documents.worker_control import (
    LARGEST_PACKET_BYTES,
    Command,
    Failed,
    Heartbeat,
    Report,
    decode_report,
    encode_message,
)
from edgeworthy.errors import ExecutionError, InputError

_MODULE = "edgeworthy.agent.worker"
_END_SECONDS = 5.0
_PORT_WAIT_SECONDS = 0.2
_HIGHEST_PORT = 65_535
#: The service manager hears of us at least that often while we wait for a worker.
_LONGEST_SILENCE_SECONDS = 20.0

ReportT = TypeVar("ReportT")


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How long a worker may take.

    Attributes:
        loading_seconds: From its start to a model in memory.
        self_test_seconds: For the golden set.
        serving_seconds: Until it takes requests.
        grace_seconds: For what is in flight when it is drained.
        silence_seconds: Between two signs of life.
    """

    loading_seconds: float = 120.0
    self_test_seconds: float = 120.0
    serving_seconds: float = 30.0
    grace_seconds: float = 30.0
    silence_seconds: float = 45.0


@dataclass
class WorkerProcess:
    """One worker.

    Attributes:
        slot: What it runs.
        process: The process.
        channel: Its control channel.
        heartbeat: The last one; absent before the first.
        heard_at: When it last said something, on the monotonic clock.
    """

    slot: Slot
    process: subprocess.Popen[bytes]
    channel: socket.socket
    heartbeat: Heartbeat | None = None
    heard_at: float = field(default_factory=time.monotonic)

    @classmethod
    def start(
        cls,
        slot: Slot,
        folder: Path,
        listeners: Sequence[socket.socket],
        options: Sequence[str] = (),
    ) -> WorkerProcess:
        """Start a worker (rule 1).

        Args:
            slot: What it runs.
            folder: The release.
            listeners: Listening sockets, in an order that all workers share.
            options: Further options of the worker.

        Raises:
            ExecutionError: The process cannot be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptors = [each.fileno() for each in listeners]
        command = [sys.executable, "-m", _MODULE, "--release", str(folder)]
        command += ["--variant", slot.variant, "--control-fd", str(theirs.fileno())]
        for descriptor in descriptors:
            command += ["--listen-fd", str(descriptor)]
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [*command, *options],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *descriptors),
            )
        except OSError as error:
            ours.close()
            raise ExecutionError(
                f"the worker cannot be started: {error.strerror}", where=sys.executable
            ) from error
        finally:
            theirs.close()
        return cls(slot, process, ours)

    def say(self, command: Command, descriptor: int | None = None) -> None:
        """Send a command, with a file descriptor where one goes with it.

        Raises:
            ExecutionError: The worker is gone.
        """
        packet = encode_message(command)
        try:
            if descriptor is None:
                self.channel.send(packet)
            else:
                socket.send_fds(self.channel, [packet], [descriptor])
        except OSError as error:
            raise self._gone() from error

    def hear(self, seconds: float) -> Report | None:
        """The next report; absent when none comes in time.

        Raises:
            ExecutionError: The worker ended, or said what is no report (rule 3).
        """
        ready, _, _ = select.select([self.channel], [], [], max(0.0, seconds))
        if not ready:
            return None
        try:
            packet = self.channel.recv(LARGEST_PACKET_BYTES)
        except OSError as error:
            raise self._gone() from error
        if not packet:
            raise self._gone()
        self.heard_at = time.monotonic()
        try:
            report = decode_report(packet)
        except InputError as error:
            self.kill()
            raise ExecutionError(f"the worker was stopped: {error.problem}") from error
        if isinstance(report, Heartbeat):
            self.heartbeat = report
        return report

    def wait_for(self, kind: type[ReportT], seconds: float, what: str) -> ReportT:
        """Listen until a report of this kind comes.

        Raises:
            ExecutionError: The worker failed, ended, or took too long; it is killed then.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            notify("WATCHDOG=1")
            report = self.hear(min(left, _LONGEST_SILENCE_SECONDS))
            if isinstance(report, kind):
                return report
            if isinstance(report, Failed):
                self.kill()
                raise ExecutionError(report.message)
        self.kill()
        raise ExecutionError(f"the worker was stopped: {what} took longer than {seconds:g} s")

    def silent_seconds(self) -> float:
        """How long it has said nothing."""
        return time.monotonic() - self.heard_at

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.channel.close()

    def end(self) -> None:
        """Let it end by itself, for a while."""
        self.channel.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _gone(self) -> ExecutionError:
        try:
            code = self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return ExecutionError("the worker closed its control channel")
        self.channel.close()
        if code < 0:
            name = signal.Signals(-code).name
            return ExecutionError(f"the worker was ended by {name}")
        return ExecutionError(f"the worker ended with exit code {code}")


def unix_listener(path: Path) -> socket.socket:
    """Listen on a Unix socket; whatever bore the name before is gone.

    Raises:
        ExecutionError: It cannot be bound.
    """
    fresh = path.with_name(f".{path.name}.partial")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with short_name(fresh) as name:
            listener.bind(name)
        fresh.chmod(0o660)
        fresh.replace(path)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ExecutionError(
            f"cannot listen: {error.strerror or error}",
            where=str(path),
            next_step="Name another place with --socket at enrolment",
        ) from error
    return listener


def tcp_listener(address: str, *, patience_seconds: float = 0.0) -> socket.socket:
    """Listen on ``HOST:PORT``.

    Args:
        address: Where.
        patience_seconds: How long to wait for a port that somebody still holds.

    Raises:
        ExecutionError: It cannot be bound.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ExecutionError("not an address", expected="HOST:PORT", where=address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = (host.strip("[]"), int(port))
    end = time.monotonic() + patience_seconds
    while True:
        try:
            return socket.create_server(place, family=family, backlog=128)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < end:
                time.sleep(_PORT_WAIT_SECONDS)
                continue
            raise ExecutionError(
                f"cannot listen: {error}", expected="an address that is free", where=address
            ) from error
