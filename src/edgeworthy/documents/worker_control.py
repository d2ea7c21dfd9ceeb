"""What a supervisor and the worker process that serves one model say to each other.

Rules:

1. One packet is one message in JSON, with its kind in the field ``type``; packets travel over a
   Unix socket of the kind SOCK_SEQPACKET, so none is cut and none runs into the next.
2. The worker speaks first: it loads the model and says ``loaded``, or ``failed`` and ends.
3. Every ``self-test`` is answered by ``self-tested``, every ``serve`` by ``serving``, every
   ``drain`` by ``drained``; ``failed`` may come at any time and is the last word of a worker.
4. ``serve`` and ``drain`` may carry one file descriptor each (SCM_RIGHTS): the two ends of a
   SOCK_SEQPACKET pair, over which idle connections move from the old worker to the new one.
5. A worker that loses its supervisor (the control channel is closed) finishes what is in flight
   and ends.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from edgeworthy.documents.record import Record, canonical_json
from edgeworthy.documents.self_test import SelfTest
from edgeworthy.errors import InputError

#: Largest packet; both sides refuse more.
LARGEST_PACKET_BYTES = 128 << 10

FailureReason = Literal[
    "release", "variant", "model", "engine", "memory", "hang", "socket", "control", "defect"
]


class SelfTestCommand(Record, frozen=True, kw_only=True, tag="self-test"):
    """Prove the model on this device with the golden set of its release.

    Attributes:
        reason: Why it is asked for, for the history: ``update``, ``boot``, ``changed`` and so on.
        time_limit_seconds: A self-test that takes longer has failed: it hangs.
    """

    reason: str = "update"
    time_limit_seconds: float = 120.0


class ServeCommand(Record, frozen=True, kw_only=True, tag="serve"):
    """Take requests on the listening sockets.

    Attributes:
        adopts: Whether the packet carries a descriptor over which connections of the worker before
            arrive.
    """

    adopts: bool = False


class DrainCommand(Record, frozen=True, kw_only=True, tag="drain"):
    """Accept no more connections, answer what is in flight, and give away the rest.

    Attributes:
        grace_seconds: Connections that still have a request in flight after that are closed.
        hands_over: Whether the packet carries a descriptor to give connections to; without one,
            idle connections are closed.
    """

    grace_seconds: float = 30.0
    hands_over: bool = False


class StopCommand(Record, frozen=True, kw_only=True, tag="stop"):
    """End at once: what is in flight is lost."""


#: What a supervisor says.
Command: TypeAlias = SelfTestCommand | ServeCommand | DrainCommand | StopCommand


class Loaded(Record, frozen=True, kw_only=True, tag="loaded"):
    """The model is in memory.

    Attributes:
        release: ``NAME VERSION`` of the release.
        variant: The variant that was loaded.
        artifact: Digest of its file, taken while it was loaded.
        runtime: Engine and version, for example ``onnxruntime 1.32.0``.
        load_time_ms: From the start of the process to a session that can run.
        resident_bytes: Resident memory of the worker with the model.
        model_bytes: Resident memory that loading the model added.
        process_id: Of the worker.
    """

    release: str
    variant: str
    artifact: str
    runtime: str
    load_time_ms: float
    resident_bytes: int
    model_bytes: int
    process_id: int


class SelfTested(Record, frozen=True, kw_only=True, tag="self-tested"):
    """The self-test is over.

    Attributes:
        result: What it found; ``result.passed`` is the verdict.
    """

    result: SelfTest


class Serving(Record, frozen=True, kw_only=True, tag="serving"):
    """Requests are taken from now on.

    Attributes:
        listeners: Where: ``unix:PATH`` or ``HOST:PORT``, in the order of the descriptors.
    """

    listeners: tuple[str, ...]


class Heartbeat(Record, frozen=True, kw_only=True, tag="heartbeat"):
    """Alive, about once a second or as often as was asked for.

    Attributes:
        uptime_seconds: Since the start of the process.
        request_count: Inferences answered since the start, right or wrong.
        refused_count: Requests that were the client's mistake, or too many at once.
        failure_count: Inferences that the engine failed, or whose outputs were not finite numbers.
        in_flight_count: Inferences that are being run or wait to be.
        connection_count: Open connections.
        resident_bytes: Resident memory of the worker.
    """

    uptime_seconds: float
    request_count: int
    refused_count: int
    failure_count: int
    in_flight_count: int
    connection_count: int
    resident_bytes: int


class Drained(Record, frozen=True, kw_only=True, tag="drained"):
    """Nothing is in flight and no connection is left; the worker ends now.

    Attributes:
        handed_over_count: Connections that went to the successor.
        closed_count: Connections that were closed instead.
        cut_count: Of those, connections with a request in flight that the grace did not suffice
            for; 0 is what an update under load must end with.
        request_count: Inferences answered since the start.
    """

    handed_over_count: int
    closed_count: int
    cut_count: int
    request_count: int


class Failed(Record, frozen=True, kw_only=True, tag="failed"):
    """The worker cannot go on and ends.

    Attributes:
        reason: What kind of failure: the release cannot be read, it has no such variant, the model
            cannot be loaded, the engine fails again and again, too much memory, an inference that
            hangs, a socket or the control channel that cannot be used, or a defect of ours.
        message: The whole paragraph for people.
    """

    reason: FailureReason
    message: str


#: What a worker says.
Report: TypeAlias = Loaded | SelfTested | Serving | Heartbeat | Drained | Failed


class Handover(Record, frozen=True, kw_only=True):
    """What travels beside a connection that goes from one worker to the next.

    The packet is this record in JSON, one line feed, and the bytes that the old worker had read of
    requests that it did not answer.

    Attributes:
        listener: Position of the listening socket that the connection came from.
        byte_count: Bytes behind the line feed.
    """

    LARGEST_BYTES: ClassVar[int] = 64 << 10

    listener: int
    byte_count: int


def encode_message(message: Command | Report) -> bytes:
    """The packet of a message.

    >>> encode_message(StopCommand())
    b'{"type":"stop"}'
    """
    return canonical_json(message)


def decode_command(packet: bytes) -> Command:
    """What a supervisor said.

    Raises:
        InputError: The packet is no command.
    """
    try:
        command: Command = msgspec.json.decode(packet, type=Command)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a command to a worker: {error}", where="control channel") from error
    return command


def decode_report(packet: bytes) -> Report:
    """What a worker said.

    Raises:
        InputError: The packet is no report.
    """
    try:
        report: Report = msgspec.json.decode(packet, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a report of a worker: {error}", where="control channel") from error
    return report
