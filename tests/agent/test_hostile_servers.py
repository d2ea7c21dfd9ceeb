"""Servers that lie, drip, fall silent, send us elsewhere or are away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.desk import BLOB, PLACE, Desk, cut_after, says
from agent.web import Request, Web
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import HttpSource
from edgeworthy.errors import TransferError


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
