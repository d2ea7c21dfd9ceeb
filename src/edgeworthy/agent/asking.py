"""Questions to an agent that runs: a Unix socket in its store, one packet each way.

Rules:

1. Whoever may open the socket may ask: it has the mode 0600 and lies in the store.
2. A question is answered or refused with the error's own words; a wrong one changes nothing.
3. Nobody can hold the agent up: a question must lie there when its sender is let in.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from edgeworthy.errors import EdgeworthyError, ExecutionError, UsageError

_LARGEST_PACKET_BYTES = 256 << 10
_PATIENCE_SECONDS = 0.2
_ANSWER_SECONDS = 600.0
_NAME = "agent.sock"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants.

    Attributes:
        ask: ``status``; ``look`` at the repository now; ``rollback``.
        reason: Why, for the history.
    """

    ask: Literal["status", "look", "rollback"]
    reason: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        data: A document in JSON, or a sentence; empty after an error.
        error: Why not.
        exit_code: Of the error.
    """

    data: str = ""
    error: str = ""
    exit_code: int = 0


def open_door(run: Path) -> socket.socket:
    """Listen for questions.

    Raises:
        ExecutionError: It cannot be bound.
    """
    path = run / _NAME
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        run.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with short_name(path) as name:
            door.bind(name)
        path.chmod(0o600)
        door.listen(8)
    except OSError as error:
        door.close()
        raise ExecutionError(f"cannot listen: {error}", where=str(path)) from error
    return door


def answer_one(door: socket.socket, answer: Callable[[Question], str]) -> None:
    """Answer who stands at the door (rules 2 and 3)."""
    try:
        guest, _ = door.accept()
    except OSError:
        return
    with guest, contextlib.suppress(OSError):
        guest.settimeout(_PATIENCE_SECONDS)
        packet = guest.recv(_LARGEST_PACKET_BYTES)
        try:
            question = msgspec.json.decode(packet, type=Question)
            reply = Answer(data=answer(question))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            reply = Answer(error=f"not a question: {error}", exit_code=UsageError.exit_code)
        except EdgeworthyError as error:
            reply = Answer(error=str(error), exit_code=error.exit_code)
        guest.send(msgspec.json.encode(reply))


def ask(run: Path, question: Question) -> Answer | None:
    """Ask the agent that runs on a store; absent when none does.

    Raises:
        ExecutionError: It does not answer.
    """
    path = run / _NAME
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        try:
            with short_name(path) as name:
                line.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise ExecutionError(f"the agent cannot be asked: {error}", where=str(path)) from error
        try:
            line.settimeout(_ANSWER_SECONDS)
            line.send(msgspec.json.encode(question))
            return msgspec.json.decode(line.recv(_LARGEST_PACKET_BYTES), type=Answer)
        except (OSError, msgspec.DecodeError) as error:
            raise ExecutionError("the agent does not answer", where=str(path)) from error


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name for a socket whose path may be longer than the 107 bytes that the kernel takes."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
