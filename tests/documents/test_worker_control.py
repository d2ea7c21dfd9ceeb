from __future__ import annotations

import msgspec
import pytest

from edgeworthy.documents.worker_control import (
    Command,
    DrainCommand,
    Drained,
    Failed,
    Heartbeat,
    Report,
    SelfTestCommand,
    ServeCommand,
    Serving,
    StopCommand,
    decode_command,
    decode_report,
    encode_message,
)
from edgeworthy.errors import InputError

COMMANDS: list[Command] = [
    SelfTestCommand(reason="boot", time_limit_seconds=3.5),
    ServeCommand(adopts=True),
    DrainCommand(grace_seconds=1.0, hands_over=True),
    StopCommand(),
]
REPORTS: list[Report] = [
    Serving(listeners=("unix:/run/model.sock",)),
    Heartbeat(
        uptime_seconds=1.5,
        request_count=3,
        refused_count=2,
        failure_count=0,
        in_flight_count=1,
        connection_count=4,
        resident_bytes=1 << 26,
    ),
    Drained(handed_over_count=2, closed_count=1, cut_count=0, request_count=9),
    Failed(reason="memory", message="too much"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_survives_the_way(command: Command) -> None:
    packet = encode_message(command)
    assert decode_command(packet) == command
    assert type(decode_command(packet)) is type(command)


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_survives_the_way(report: Report) -> None:
    assert decode_report(encode_message(report)) == report


def test_the_kind_stands_in_the_packet() -> None:
    kinds = [msgspec.json.decode(encode_message(each))["type"] for each in COMMANDS]
    assert kinds == ["self-test", "serve", "drain", "stop"]


@pytest.mark.parametrize("packet", [b"", b"{}", b'{"type":"launch"}', b"\xff", b"[1]"])
def test_anything_else_is_refused_by_both_sides(packet: bytes) -> None:
    with pytest.raises(InputError, match="not a command"):
        decode_command(packet)
    with pytest.raises(InputError, match="not a report"):
        decode_report(packet)


def test_a_report_is_no_command() -> None:
    with pytest.raises(InputError, match="not a command"):
        decode_command(encode_message(REPORTS[0]))
