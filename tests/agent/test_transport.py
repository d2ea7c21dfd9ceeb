"""Bytes over a bad line: transfers that go on, ranges, tags, space, memory."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.desk import BLOB, DIGEST, PLACE, Desk, cut_after, says
from agent.web import Request, Web
from edgeworthy.agent import transport as transport_module
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import Answer, HttpSource, SourceProblem
from edgeworthy.errors import StorageError, TransferError
from edgeworthy.files import digest_bytes
from edgeworthy.release.trust.layout import blob_path


def test_a_blob_comes_whole_and_nothing_stays_behind(desk: Desk) -> None:
    assert desk.fetch() == len(BLOB)
    assert desk.arrived() == BLOB
    assert desk.partials() == []


def test_a_blob_that_is_there_costs_no_request(desk: Desk, web: Web) -> None:
    desk.fetch()
    web.requests.clear()
    assert desk.fetch() == 0
    assert web.requests == []


def test_a_blob_that_rotted_is_fetched_again(desk: Desk) -> None:
    desk.fetch()
    (desk.store / PLACE).write_bytes(b"\0" * len(BLOB))
    assert desk.fetch() == len(BLOB)
    assert desk.arrived() == BLOB


def test_a_broken_connection_goes_on_where_it_stopped(desk: Desk, web: Web) -> None:
    web.behaviors = [cut_after(300_000), cut_after(300_000)]
    assert desk.fetch() == len(BLOB)
    assert desk.arrived() == BLOB
    assert [wish for _, wish in web.requests] == ["", "bytes=300000-", "bytes=600000-"]


def test_a_transfer_goes_on_after_a_reboot(desk: Desk, web: Web) -> None:
    desk.patience = Patience(attempts=1)
    web.behaviors = [cut_after(700_000)]
    with pytest.raises(TransferError, match="700000 so far"):
        desk.fetch()
    assert len(desk.partials()) == 2
    assert desk.fetch() == len(BLOB) - 700_000
    assert desk.arrived() == BLOB


def test_only_what_was_synced_counts_after_a_power_cut(desk: Desk, web: Web) -> None:
    desk.patience = Patience(attempts=1)
    web.behaviors = [cut_after(700_000)]
    with pytest.raises(TransferError):
        desk.fetch()
    partial = (desk.store / PLACE).with_name(f".{DIGEST[7:]}.partial")
    with partial.open("ab") as stream:
        stream.write(b"\0" * 100_000)
    desk.fetch()
    assert web.requests[-1][1] == "bytes=700000-"
    assert desk.arrived() == BLOB


@pytest.mark.parametrize("damage", ["record lost", "record nonsense", "file lost", "file shorter"])
def test_a_damaged_partial_file_costs_time_but_no_truth(desk: Desk, web: Web, damage: str) -> None:
    desk.patience = Patience(attempts=1)
    web.behaviors = [cut_after(700_000)]
    with pytest.raises(TransferError):
        desk.fetch()
    partial = (desk.store / PLACE).with_name(f".{DIGEST[7:]}.partial")
    record = partial.with_name(f"{partial.name}.json")
    if damage == "record lost":
        record.unlink()
    elif damage == "record nonsense":
        record.write_bytes(b"{")
    elif damage == "file lost":
        partial.unlink()
    else:
        os.truncate(partial, 10)
    desk.fetch()
    assert desk.arrived() == BLOB


def test_a_partial_file_with_other_bytes_is_begun_again(desk: Desk, web: Web) -> None:
    desk.patience = Patience(attempts=2)
    web.behaviors = [cut_after(500_000), cut_after(0)]
    with pytest.raises(TransferError):
        desk.fetch()
    partial = (desk.store / PLACE).with_name(f".{DIGEST[7:]}.partial")
    partial.write_bytes(b"\0" * 500_000)
    other = HttpSource(f"{web.url}/", answer_seconds=2)
    desk.sources = [other, *desk.sources]
    desk.fetch()
    assert desk.arrived() == BLOB


def test_200_for_206_begins_again(desk: Desk, web: Web) -> None:
    web.behaviors = [cut_after(300_000), says(200, BLOB, ETag='"one"')]
    assert desk.fetch() == len(BLOB) + 300_000
    assert desk.arrived() == BLOB


def test_a_changed_tag_begins_again(desk: Desk, web: Web) -> None:
    web.behaviors = [cut_after(300_000)]
    web.tag = '"two"'
    assert desk.fetch() == len(BLOB) + 300_000
    assert desk.arrived() == BLOB


@pytest.mark.parametrize(
    "place", ["bytes 5-9/1048576", "bytes 300001-1048575/1048576", "nonsense", ""]
)
def test_a_range_that_was_not_asked_for_is_not_taken(desk: Desk, web: Web, place: str) -> None:
    web.behaviors = [cut_after(300_000), says(206, b"x" * 10, Content_Range=place)]
    desk.fetch()
    assert desk.arrived() == BLOB


def test_reordered_and_repeated_bytes_are_noticed_and_begun_again(desk: Desk, web: Web) -> None:
    def swapped(request: Request) -> bool:
        half = len(BLOB) // 2
        return request.send(200, BLOB[half:] + BLOB[:half][::-1])

    web.behaviors = [swapped]
    desk.sources = [*desk.sources, HttpSource(f"{web.url}/", answer_seconds=2)]
    desk.fetch()
    assert desk.arrived() == BLOB


def test_space_is_checked_before_the_first_byte(
    desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "RESERVE_BYTES", 1 << 62)
    with pytest.raises(StorageError, match="not enough space"):
        desk.fetch()
    assert web.requests == []


def test_two_agents_on_one_store_take_turns(desk: Desk) -> None:
    (desk.store / PLACE).parent.mkdir(parents=True)
    with ((desk.store / PLACE).parent / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TransferError, match="another process"):
            desk.fetch()
    assert desk.fetch() == len(BLOB)


def test_a_blob_or_partial_file_on_a_worn_sector_is_fetched_again(
    desk: Desk, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worn(path: Path) -> str:
        raise OSError(errno.EIO, "Input/output error", str(path))

    desk.fetch()
    monkeypatch.setattr(transport_module, "digest_file", worn)
    web.requests.clear()
    assert desk.fetch() == len(BLOB)
    assert web.requests == [(PLACE, "")]


def test_an_empty_blob_is_a_blob(desk: Desk, web: Web) -> None:
    empty = digest_bytes(b"")
    web.files[blob_path(empty)] = b""
    assert desk.fetch(empty, 0) == 0
    assert (desk.store / blob_path(empty)).read_bytes() == b""


def test_a_small_file_is_read_with_a_limit(desk: Desk, web: Web) -> None:
    web.files["metadata/timestamp.json"] = b"x" * 100
    assert desk.read("metadata/timestamp.json", 100) == b"x" * 100
    with pytest.raises(SourceProblem, match="more than the 99 bytes"):
        desk.read("metadata/timestamp.json", 99)
    web.behaviors = [says(200, b"x", Content_Length="100")]
    with pytest.raises(SourceProblem):
        desk.read("metadata/timestamp.json", 100)
    desk.seconds_per_look = 100.0
    with pytest.raises(SourceProblem, match="slower than"):
        desk.read("metadata/timestamp.json", 100)


@dataclass(frozen=True)
class Zeros:
    """A source with a file of any size that takes no space."""

    size_bytes: int
    name: str = "zeros"

    @contextmanager
    def open(self, path: str, *, offset: int = 0, tag: str = "") -> Iterator[Answer]:
        assert path
        yield Answer(offset, self.size_bytes, tag, self._pieces(self.size_bytes - offset))

    @staticmethod
    def _pieces(left: int) -> Iterator[bytes]:
        piece = bytes(1 << 20)
        while left:
            yield piece[: min(left, len(piece))]
            left -= min(left, len(piece))


def test_memory_stays_bounded_whatever_the_size(desk: Desk) -> None:
    size_bytes = 200 << 20
    zeros = Zeros(size_bytes)
    desk.sources = [zeros]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TransferError):
        desk.fetch(DIGEST, size_bytes)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 32 << 10


@pytest.mark.parametrize("offset", [(2 << 30) - 1, 2 << 30, (4 << 30) + 1])
def test_ranges_beyond_32_bits_are_asked_for_and_understood(web: Web, offset: int) -> None:
    web.behaviors = [says(206, b"tail!", Content_Range=f"bytes {offset}-{offset + 4}/{offset + 5}")]
    with HttpSource(web.url).open("blob", offset=offset) as answer:
        assert (answer.offset, answer.total_bytes) == (offset, offset + 5)
        assert b"".join(answer.pieces) == b"tail!"
    assert web.requests == [("blob", f"bytes={offset}-")]
