"""The worker's end of the control channel.

Rules:

1. Reports are sent in order; a supervisor that does not read loses heartbeats and nothing else.
2. Each descriptor that arrives is taken by the command that announces it, or closed.
"""

from __future__ import annotations

import socket
from collections import deque

from edgeworthy.agent.worker.handover import receive_packet, send_packet
from edgeworthy.documents.worker_control import (
    Command,
    DrainCommand,
    Heartbeat,
    Report,
    ServeCommand,
    decode_command,
    encode_message,
)
from edgeworthy.errors import InputError


class Control:
    """Commands in, reports out.

    Args:
        channel: The inherited socket.
    """

    def __init__(self, channel: socket.socket) -> None:
        channel.settimeout(0.0)
        self._channel = channel
        self._unsent: deque[bytes] = deque()

    def fileno(self) -> int:
        """The descriptor, for the loop."""
        return self._channel.fileno()

    def report(self, message: Report) -> None:
        """Say something to the supervisor."""
        self.flush()
        if isinstance(message, Heartbeat) and self._unsent:
            return
        self._unsent.append(encode_message(message))
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent before."""
        while self._unsent:
            try:
                send_packet(self._channel, self._unsent[0])
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # the supervisor is gone; its end is noticed while reading
                self._unsent.clear()
                return
            self._unsent.popleft()

    def finish(self) -> None:
        """Send what is left before the process ends, waiting a moment for a slow reader."""
        self._channel.settimeout(2.0)
        self.flush()
        self._channel.close()

    def command(self) -> tuple[Command, socket.socket | None] | None:
        """The next command and the socket beside it; ``None`` when there is none now.

        Raises:
            EOFError: The supervisor is gone.
            InputError: It sent something else.
        """
        try:
            packet, descriptors = receive_packet(self._channel)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise EOFError from error
        try:
            command = _checked(packet, len(descriptors))
        except InputError:
            for descriptor in descriptors:
                socket.close(descriptor)
            raise
        return command, socket.socket(fileno=descriptors[0]) if descriptors else None


def _checked(packet: bytes, descriptor_count: int) -> Command:
    command = decode_command(packet)
    if int(_announces(command)) != descriptor_count:
        raise InputError(
            "a command with the wrong number of descriptors",
            expected=str(int(_announces(command))),
            found=str(descriptor_count),
            where="control channel",
        )
    return command


def _announces(command: Command) -> bool:
    if isinstance(command, ServeCommand):
        return command.adopts
    return isinstance(command, DrainCommand) and command.hands_over
