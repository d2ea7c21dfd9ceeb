"""The history: a chain that nobody can bend unseen, whatever happens to its file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.agent.chain import with_entry
from edgeworthy.agent.events import Moment
from edgeworthy.agent.history import read_history, settle_history, verified_history
from edgeworthy.documents.agent import AgentState
from edgeworthy.errors import VerificationError

NOW = Moment(own_clock="2026-06-01T00:00:00Z", signed_time="", boot="b", fingerprint="f")


def grown(path: Path, count: int, largest_bytes: int = 1 << 20) -> AgentState:
    state = AgentState()
    for number in range(count):
        state = with_entry(state, NOW, "started", None, f"reason {number}")
        settle_history(path, state, largest_bytes=largest_bytes)
        state = msgspec.structs.replace(state, unwritten=())
    return state


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    state = grown(path, 5)
    content = verified_history(path, state)
    assert [each.reason for each in content.entries] == [f"reason {n}" for n in range(5)]
    assert [each.sequence for each in content.entries] == [1, 2, 3, 4, 5]


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_changed_byte_is_noticed(data: st.DataObject, tmp_path_factory: object) -> None:
    path = tmp_path_factory.mktemp("history") / "history.jsonl"  # type: ignore[attr-defined]
    state = grown(path, 4)
    good = path.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
    with pytest.raises(VerificationError):
        verified_history(path, state)


@pytest.mark.parametrize("change", ["first", "middle", "last", "twice", "swapped"])
def test_entries_that_are_missing_or_moved_are_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "history.jsonl"
    state = grown(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "first": lines[1:],
        "middle": lines[:2] + lines[3:],
        "last": lines[:-1],
        "twice": [*lines, lines[-1]],
        "swapped": [lines[1], lines[0], *lines[2:]],
    }[change]
    path.write_bytes(b"".join(changed))
    with pytest.raises(VerificationError, match="history"):
        verified_history(path, state)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_is_written_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "history.jsonl"
    state = grown(path, 3)
    after = with_entry(state, NOW, "stopped", None, "SIGTERM")
    settle_history(path, after)
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(verified_history(path, after).entries) == 4, "it is still in the state"
    settle_history(path, after)
    assert [each.event for each in read_history(path).entries] == ["started"] * 3 + ["stopped"]
    settle_history(path, after)
    assert len(read_history(path).entries) == 4, "nothing is told twice"


def test_the_file_is_bounded_and_its_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    state = grown(path, 200, largest_bytes=8192)
    assert path.stat().st_size <= 8192 + 600
    content = verified_history(path, state)
    assert content.checkpoint is not None
    assert content.checkpoint.sequence == content.entries[0].sequence - 1
    assert content.entries[-1].sequence == 200
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(VerificationError):
        verified_history(path, state)


def test_a_damaged_file_is_put_aside_and_the_agent_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    state = grown(path, 4)
    path.write_bytes(path.read_bytes().replace(b"reason 2", b"reason 7"))
    after = with_entry(state, NOW, "stopped", None, "SIGTERM")
    settle_history(path, after)
    content = verified_history(path, after)
    assert content.checkpoint is not None
    assert "not the one that was written" in content.checkpoint.damage
    assert [each.sequence for each in content.entries] == [5]
    assert b"reason 7" in (tmp_path / "history.jsonl.damaged").read_bytes()


def test_a_history_of_another_device_is_noticed(tmp_path: Path) -> None:
    state = grown(tmp_path / "mine", 3)
    grown(tmp_path / "other", 4)
    with pytest.raises(VerificationError, match="does not end where"):
        verified_history(tmp_path / "other", state)
