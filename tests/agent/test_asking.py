"""Questions to an agent: answered, refused, never a way to hold it up."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import msgspec
import pytest

from edgeworthy.agent.asking import Answer, Question, answer_one, ask, open_door
from edgeworthy.agent.worker_process import tcp_listener
from edgeworthy.errors import ExecutionError, UsageError


def answered(run: Path, packet: bytes) -> Answer:
    """What the agent answers to any packet."""

    def reply(question: Question) -> str:
        if question.ask == "rollback":
            raise UsageError("there is nothing to go back to")
        return f"{question.ask} it is"

    with open_door(run) as door, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as guest:
        guest.connect(str(run / "agent.sock"))
        guest.send(packet)
        answer_one(door, reply)
        return msgspec.json.decode(guest.recv(1 << 16), type=Answer)


def test_a_question_is_answered(tmp_path: Path) -> None:
    assert answered(tmp_path, b'{"ask": "look"}').data == "look it is"


def test_an_error_comes_back_with_its_exit_code(tmp_path: Path) -> None:
    answer = answered(tmp_path, b'{"ask": "rollback"}')
    assert (answer.exit_code, answer.data) == (2, "")
    assert answer.error.startswith("there is nothing to go back to")


@pytest.mark.parametrize("packet", [b"", b"{", b'{"ask": "obey"}', b"\xff" * 200, b"[1]"])
def test_what_is_no_question_is_refused(tmp_path: Path, packet: bytes) -> None:
    if packet:
        assert "not a question" in answered(tmp_path, packet).error


def test_who_says_nothing_does_not_hold_the_agent_up(tmp_path: Path) -> None:
    with (
        open_door(tmp_path) as door,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as guest,
    ):
        guest.connect(str(tmp_path / "agent.sock"))
        answer_one(door, lambda _question: "never asked")


def test_nobody_but_the_owner_may_ask(tmp_path: Path) -> None:
    with open_door(tmp_path):
        assert (tmp_path / "agent.sock").stat().st_mode & 0o777 == 0o600


def test_a_path_longer_than_the_kernel_takes_is_no_obstacle(tmp_path: Path) -> None:
    run = tmp_path / ("a" * 80) / ("b" * 80)
    with open_door(run) as door:
        thread = threading.Thread(target=answer_one, args=(door, lambda _question: "here"))
        thread.start()
        answer = ask(run, Question(ask="status"))
        thread.join()
    assert answer == Answer(data="here")


def test_where_no_agent_runs_there_is_no_answer(tmp_path: Path) -> None:
    assert ask(tmp_path, Question(ask="status")) is None
    with open_door(tmp_path):
        pass
    assert ask(tmp_path, Question(ask="status")) is None, "the socket of an agent that was killed"


def test_a_port_that_is_held_is_waited_for_and_then_an_error() -> None:
    with tcp_listener("127.0.0.1:0") as held:
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(ExecutionError, match="cannot listen"):
            tcp_listener(address)
        threading.Timer(0.3, held.close).start()
        with tcp_listener(address, patience_seconds=10.0) as taken:
            assert taken.getsockname()[1] == int(address.rpartition(":")[2])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", ":80", "a:-1"]
)
def test_what_is_no_address_is_an_error_that_says_so(address: str) -> None:
    with pytest.raises(ExecutionError, match="not an address"):
        tcp_listener(address)
