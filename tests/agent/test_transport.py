from __future__ import annotations

import errno
import fcntl
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.web import Behavior, Request, Web
from edgeworthy.agent import transport as transport_module
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import Answer, FolderSource, HttpSource, Source, SourceProblem
from edgeworthy.agent.transport import Transport, World
from edgeworthy.errors import StorageError, TransferError
from edgeworthy.files import digest_bytes, digest_file
from edgeworthy.release.trust.layout import blob_path

BLOB = bytes(range(256)) * 4096
DIGEST = digest_bytes(BLOB)
PLACE = blob_path(DIGEST)


@dataclass
class Desk:
    """A device's transport with a clock and waits that tests can see."""

    store: Path
    sources: list[Source]
    patience: Patience = field(default_factory=Patience)
    now: float = 0.0
    seconds_per_look: float = 0.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        self.now += self.seconds_per_look
        return self.now

    def fetch(self, digest: str = DIGEST, size_bytes: int = len(BLOB)) -> int:
        world = World(self.monotonic, self.waits.append, lambda: 0.5)
        return Transport(self.sources, self.patience, world).fetch_blob(
            digest, size_bytes, self.store
        )

    def read(self, path: str, largest_bytes: int) -> bytes:
        world = World(self.monotonic, self.waits.append, lambda: 0.5)
        return Transport(self.sources, self.patience, world).read(
            path, largest_bytes=largest_bytes, source=self.sources[0]
        )

    def arrived(self) -> bytes:
        return (self.store / PLACE).read_bytes()

    def partials(self) -> list[str]:
        return sorted(path.name for path in (self.store / PLACE).parent.glob(".*partial*"))


@pytest.fixture
def desk(tmp_path: Path, web: Web) -> Desk:
    web.files[PLACE] = BLOB
    return Desk(tmp_path / "store", [HttpSource(web.url, answer_seconds=2)])


def cut_after(size_bytes: int) -> Behavior:
    """Announce everything, send a part."""

    def behave(request: Request) -> bool:
        assert request.data is not None
        first = request.first_byte
        body = request.data[first:]
        head = {"ETag": '"one"', "Content_Length": str(len(body))}
        if first:
            last = len(request.data) - 1
            head["Content_Range"] = f"bytes {first}-{last}/{len(request.data)}"
        return request.send(206 if first else 200, body[:size_bytes], **head)

    return behave


def says(status: int, body: bytes = b"", **headers: str) -> Behavior:
    return lambda request: request.send(status, body, **headers)


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


def test_a_source_that_sends_other_bytes_is_not_asked_again(desk: Desk, web: Web) -> None:
    web.files[PLACE] = BLOB[::-1]
    with pytest.raises(TransferError, match="other bytes than were signed"):
        desk.fetch()
    assert len(web.requests) == 1
    assert not (desk.store / PLACE).exists()
    assert desk.partials() == []


@pytest.mark.parametrize("size_bytes", [len(BLOB) + 1, len(BLOB) - 1])
def test_a_file_of_another_size_is_not_read(desk: Desk, web: Web, size_bytes: int) -> None:
    web.files[PLACE] = (BLOB + b"x")[:size_bytes]
    with pytest.raises(TransferError, match="another size"):
        desk.fetch()


def test_a_body_without_end_is_cut_off_at_the_signed_size(desk: Desk, web: Web) -> None:
    def endless(request: Request) -> bool:
        request.handler.send_response(200)
        request.handler.end_headers()
        request.handler.wfile.write(BLOB + b"x" * 100_000)
        return True

    web.behaviors = [endless]
    with pytest.raises(TransferError, match="more bytes than were signed"):
        desk.fetch()


def test_a_compressed_body_is_refused(desk: Desk, web: Web) -> None:
    web.behaviors = [says(200, b"bomb", Content_Encoding="gzip")] * 6
    with pytest.raises(TransferError, match="encoding 'gzip'"):
        desk.fetch()


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_gone_is_asked_for_once(desk: Desk, web: Web, status: int) -> None:
    web.behaviors = [says(status)] * 100
    with pytest.raises(TransferError, match=f"answered {status}"):
        desk.fetch()
    assert (len(web.requests), desk.waits) == (1, [])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_storm_of_errors_ends_after_few_attempts_with_jitter(
    desk: Desk, web: Web, status: int
) -> None:
    web.behaviors = [says(status)] * 100
    with pytest.raises(TransferError, match=f"answered {status}"):
        desk.fetch()
    assert len(web.requests) == 6
    assert desk.waits == [0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        ("99999", 300.0),
        ("nonsense", 0.5),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.5),
        ("Mon, 01 Jan 2001 00:00:00", 0.5),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 300.0),
    ],
)
def test_retry_after_is_kept_up_to_the_longest_wait(
    desk: Desk, web: Web, text: str, expected: float
) -> None:
    web.behaviors = [says(503, Retry_After=text)]
    desk.fetch()
    assert desk.waits == [expected]


def test_another_mirror_goes_on_where_the_first_one_broke(desk: Desk, web: Web) -> None:
    web.behaviors = [cut_after(400_000)]
    desk.sources = [*desk.sources, HttpSource(f"{web.url}/", answer_seconds=2)]
    assert desk.fetch() == len(BLOB)
    assert web.requests[1][1] == "bytes=400000-"


def test_a_server_that_is_away_is_named(desk: Desk) -> None:
    desk.sources = [HttpSource("http://127.0.0.1:9", answer_seconds=1)]
    with pytest.raises(TransferError, match=r"http://127\.0\.0\.1: "):
        desk.fetch()


def test_without_a_source_nothing_is_fetched(desk: Desk) -> None:
    desk.sources = []
    with pytest.raises(TransferError, match="no source"):
        desk.fetch()


def test_progress_counts_the_attempts_anew(desk: Desk, web: Web) -> None:
    desk.patience = Patience(attempts=3, notable_bytes=100_000)
    web.behaviors = [cut_after(110_000)] * 9
    assert desk.fetch() == len(BLOB)
    assert len(web.requests) == 10


def test_a_trickle_is_given_up_by_its_average_speed(desk: Desk, web: Web) -> None:
    desk.seconds_per_look = 30.0
    desk.patience = Patience(attempts=1, lowest_bytes_per_second=1e6, window_seconds=60)
    with pytest.raises(TransferError, match="slower than"):
        desk.fetch()
    assert web.requests == [(PLACE, "")]


def test_a_server_that_falls_silent_is_left(desk: Desk, web: Web) -> None:
    silence: list[Callable[[], None]] = []

    def silent(request: Request) -> bool:
        request.handler.send_response(200)
        request.handler.send_header("Content-Length", str(len(BLOB)))
        request.handler.end_headers()
        request.handler.wfile.write(BLOB[:1000])
        request.handler.wfile.flush()
        request.handler.connection.settimeout(5)
        silence.append(lambda: None)
        request.handler.connection.recv(1)
        return True

    web.behaviors = [silent]
    desk.sources = [HttpSource(web.url, answer_seconds=0.2)]
    assert desk.fetch() == len(BLOB)
    assert silence


def test_redirects_are_followed_within_http_and_no_further(desk: Desk, web: Web) -> None:
    web.files["elsewhere"] = BLOB
    web.behaviors = [says(302, Location=f"{web.url}/elsewhere")]
    assert desk.fetch() == len(BLOB)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_redirects_elsewhere_are_refused(desk: Desk, web: Web, target: str) -> None:
    web.behaviors = [says(302, Location=target)] * 6
    with pytest.raises(TransferError):
        desk.fetch()
    assert not (desk.store / PLACE).exists()


def test_redirects_in_a_circle_end(desk: Desk, web: Web) -> None:
    desk.patience = Patience(attempts=1)
    web.behaviors = [lambda request: request.send(302, Location=f"{web.url}/{request.path}")] * 50
    with pytest.raises(TransferError):
        desk.fetch()
    assert len(web.requests) < 10


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


# --- folders ---------------------------------------------------------------------------------


def test_a_stick_is_proven_like_a_server(desk: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / PLACE).parent.mkdir(parents=True)
    (stick / PLACE).write_bytes(BLOB)
    desk.sources = [FolderSource(stick)]
    assert desk.fetch() == len(BLOB)
    assert digest_file(desk.store / PLACE) == DIGEST
    (stick / PLACE).write_bytes(BLOB[::-1])
    (desk.store / PLACE).unlink()
    with pytest.raises(TransferError, match="other bytes"):
        desk.fetch()


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "link"])
def test_nothing_outside_a_folder_is_read(tmp_path: Path, path: str) -> None:
    stick = tmp_path / "stick"
    (stick / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (stick / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceProblem) as refused, FolderSource(stick).open(path):
        pass
    assert refused.value.gone


def test_a_folder_behind_a_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (stick / "folder").symlink_to(outside)
    os.mkfifo(stick / "pipe")
    for path in ("folder/file", "pipe"):
        with pytest.raises(SourceProblem), FolderSource(stick).open(path):
            pass
    with pytest.raises(SourceProblem) as gone, FolderSource(stick).open("nothing"):
        pass
    assert gone.value.gone


@pytest.mark.parametrize("offset", [(2 << 30) - 1, 2 << 30, (4 << 30) + 1])
def test_ranges_beyond_32_bits_are_asked_for_and_understood(web: Web, offset: int) -> None:
    web.behaviors = [says(206, b"tail!", Content_Range=f"bytes {offset}-{offset + 4}/{offset + 5}")]
    with HttpSource(web.url).open("blob", offset=offset) as answer:
        assert (answer.offset, answer.total_bytes) == (offset, offset + 5)
        assert b"".join(answer.pieces) == b"tail!"
    assert web.requests == [("blob", f"bytes={offset}-")]
