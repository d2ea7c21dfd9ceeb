"""The parent's side of one measured process.

Rules:

1. Whatever goes wrong with the process (it ends, is killed, falls silent, talks nonsense) is an
   error that names the artefact and carries the last words it wrote to standard error.
2. The process never outlives the ``with`` block, whatever ends the block.
3. Ctrl-C reaches only the parent: the process runs in a session of its own.
4. Standard error goes to a file, which never fills up as a pipe does.
5. Between two turns the process is stopped, so that the idle threads of its engine cannot spin
   beside the one that is measured.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from edgeworthy.errors import InferenceError, MeasurementError
from edgeworthy.measurement.plan import MeasurementPlan
from edgeworthy.measurement.wire import (
    HEADER_BYTES,
    LONGEST_FRAME_BYTES,
    Failure,
    Reply,
    Request,
    decode_reply,
    encode_frame,
    error_of,
)

_CHILD_MODULE = "edgeworthy.measurement.child"
_CHUNK_BYTES = 1 << 16
_LAST_WORDS_BYTES = 400
_FAREWELL_S = 5.0

ReplyT = TypeVar("ReplyT", bound=Reply)


class ChildProcess:
    """One artefact's process.

    Args:
        plan: What it will run.
        reply_timeout_s: Silence after which it is ended.
    """

    def __init__(self, plan: MeasurementPlan, *, reply_timeout_s: float) -> None:
        self._title = plan.title
        self._timeout_s = reply_timeout_s
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        # -P: a file beside the user's project named like a module of ours must not be imported.
        self._process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-P", "-m", _CHILD_MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)

    @property
    def title(self) -> str:
        """How messages name what it runs."""
        return self._title

    @property
    def process_id(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    def ask(self, request: Request, reply_type: type[ReplyT]) -> ReplyT:
        """Send a request and wait for its reply.

        Raises:
            ModelFileError: The engine cannot read the artefact.
            InferenceError: The engine failed, or the process ended.
            MeasurementError: The process fell silent or answered something else.
        """
        deadline = time.monotonic() + self._timeout_s
        self._send(encode_frame(request), deadline)
        length = int.from_bytes(self._receive(HEADER_BYTES, deadline), "big")
        if length > LONGEST_FRAME_BYTES:
            raise self._nonsense(f"a frame of {length} bytes")
        try:
            reply = decode_reply(self._receive(length, deadline))
        except msgspec.DecodeError as error:
            raise self._nonsense(str(error)) from error
        if isinstance(reply, Failure):
            raise error_of(reply, where=self._title)
        if not isinstance(reply, reply_type):
            raise self._nonsense(f"`{type(reply).__name__}`", expected=f"`{reply_type.__name__}`")
        return reply

    def pause(self) -> None:
        """Stop all threads of the process, and wait until they have stopped."""
        self._signal(signal.SIGSTOP)
        if self._process.returncode is None:
            os.waitid(os.P_PID, self.process_id, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let them run again."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End the process: it is told, then made to. Closing twice is allowed."""
        self._stdin.close()
        self.resume()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_FAREWELL_S)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._stdin.fileno(), selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(self._stdin.fileno(), rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise self._ended() from error

    def _receive(self, count: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < count:
            self._wait(self._stdout.fileno(), selectors.EVENT_READ, deadline)
            chunk = os.read(self._stdout.fileno(), min(count - len(received), _CHUNK_BYTES))
            if not chunk:
                raise self._ended()
            received += chunk
        return bytes(received)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise MeasurementError(
                    f"no answer from the measured process within {self._timeout_s:g} s",
                    where=self._title,
                    found=self._last_words(),
                    next_step="The model may loop without end, or the machine may be overloaded",
                )

    def _ended(self) -> InferenceError:
        return InferenceError(
            f"the measured process {self._end()} in the middle of its work",
            where=self._title,
            found=self._last_words(),
            next_step="Run the model on its own to see whether its engine crashes on it",
        )

    def _end(self) -> str:
        try:
            code = self._process.wait(timeout=_FAREWELL_S)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def _nonsense(self, found: str, *, expected: str = "") -> MeasurementError:
        return MeasurementError(
            "the measured process gave an answer that makes no sense",
            where=self._title,
            expected=expected,
            found=found,
        )

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(size - _LAST_WORDS_BYTES, 0))
        words = self._errors.read().decode("utf-8", "replace")
        return " ".join(words.split())
