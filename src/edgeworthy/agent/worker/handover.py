"""Connections that move from one worker to its successor, with what was read of them.

Rules:

1. A connection travels as a descriptor (SCM_RIGHTS) beside the bytes that belong to requests that
   nobody has answered; the client notices nothing.
2. Who gives closes its own copy only after the packet was taken by the channel.
3. A channel whose far end is gone takes nothing.

Source: https://man7.org/linux/man-pages/man7/unix.7.html (SCM_RIGHTS, SOCK_SEQPACKET).
"""

from __future__ import annotations

import array
import socket
from dataclasses import dataclass

import msgspec

from edgeworthy.documents.record import canonical_json
from edgeworthy.documents.worker_control import LARGEST_PACKET_BYTES, Handover
from edgeworthy.errors import InputError

_DESCRIPTOR_BYTES = array.array("i").itemsize
_MOST_DESCRIPTORS = 4


@dataclass(frozen=True)
class Moved:
    """A connection that arrived.

    Attributes:
        channel: Its socket.
        listener: Position of the listening socket that it came from.
        rest: Bytes to read before those of the socket.
    """

    channel: socket.socket
    listener: int
    rest: bytes


def give_connection(
    successor: socket.socket, channel: socket.socket, listener: int, rest: bytes
) -> bool:
    """Send a connection; tells whether the successor took it now, else try again later.

    Raises:
        OSError: The successor is gone.
    """
    note = canonical_json(Handover(listener=listener, byte_count=len(rest)))
    try:
        send_packet(successor, note + b"\n" + rest, channel.fileno())
    except (BlockingIOError, InterruptedError):
        return False
    return True


def take_connection(predecessor: socket.socket) -> Moved | None:
    """The next connection; ``None`` when none is there now.

    Raises:
        EOFError: The predecessor has given all it had.
        InputError: It sent something else.
    """
    try:
        packet, descriptors = receive_packet(predecessor)
    except (BlockingIOError, InterruptedError):
        return None
    text, _, rest = packet.partition(b"\n")
    try:
        note = msgspec.json.decode(text, type=Handover)
        (descriptor,) = descriptors
        if note.byte_count != len(rest):
            raise ValueError("the bytes are cut short")  # noqa: TRY301 - wrapped below
    except ValueError as error:
        for descriptor in descriptors:
            socket.close(descriptor)
        raise InputError(f"not a connection: {error}", where="hand-over") from error
    channel = socket.socket(fileno=descriptor)
    channel.settimeout(0.0)
    return Moved(channel, note.listener, rest)


def send_packet(channel: socket.socket, packet: bytes, descriptor: int | None = None) -> None:
    """Send a packet, and a descriptor with it.

    Raises:
        OSError: The channel is full or its far end is gone.
    """
    rights = (
        []
        if descriptor is None
        else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
    )
    channel.sendmsg([packet], rights, socket.MSG_NOSIGNAL)


def receive_packet(channel: socket.socket) -> tuple[bytes, list[int]]:
    """The next packet with the descriptors beside it, which are the caller's to close.

    Raises:
        EOFError: The far end is closed.
        OSError: Nothing is there now, or the channel is broken.
    """
    space = socket.CMSG_SPACE(_MOST_DESCRIPTORS * _DESCRIPTOR_BYTES)
    packet, ancillary, _, _ = channel.recvmsg(LARGEST_PACKET_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % _DESCRIPTOR_BYTES])
    if not packet:
        for descriptor in descriptors:
            socket.close(descriptor)
        raise EOFError
    return packet, descriptors.tolist()
