from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from edgeworthy.agent.signed_time import SignedTime, load_signed_time, store_signed_time

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = datetime(2026, 6, 1, tzinfo=UTC)
KEYS = ("a",)


def test_the_floor_never_goes_back() -> None:
    time = SignedTime(timestamp_keys=KEYS).seen(online=LATE).seen(online=EARLY, offline=EARLY)
    assert time.floor == LATE
    assert SignedTime().floor is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), LATE),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)),
        (None, LATE),
    ],
)
def test_the_later_of_clock_and_floor_counts(own: datetime | None, expected: datetime) -> None:
    time = SignedTime(online=LATE)
    assert time.reference_time(own) == expected
    assert time.floor == LATE


def test_without_clock_and_floor_it_is_long_ago() -> None:
    assert SignedTime().reference_time(None).year == 1


def test_what_a_lost_key_said_is_forgotten_and_what_offline_keys_said_is_not() -> None:
    time = SignedTime(timestamp_keys=KEYS).seen(online=LATE, offline=EARLY)
    assert time.with_keys(KEYS) is time
    assert time.with_keys(("b",)).floor == EARLY


def test_the_floor_is_kept_over_reboots_and_written_only_when_it_moves(tmp_path: Path) -> None:
    path = tmp_path / "time.json"
    assert load_signed_time(path) == SignedTime()
    store_signed_time(path, SignedTime(online=LATE))
    written = path.stat().st_mtime_ns
    store_signed_time(path, SignedTime(online=LATE))
    assert (load_signed_time(path).floor, path.stat().st_mtime_ns) == (LATE, written)
    path.write_bytes(b"{")
    assert load_signed_time(path) == SignedTime()
