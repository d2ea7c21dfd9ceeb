"""What a device knows of the time when its own clock may say anything.

Rules:

1. The time floor is the latest moment of signing in metadata that was verified. It never goes
   back while the keys that said so are the keys that count.
2. Metadata are judged at the later of the own clock and the floor; with ``signed-time-only`` at
   the floor alone. So a clock that says 1970 harms nothing, and one that says 2038 can only delay
   updates: nothing that works is ever removed because of time.
3. The own clock never moves the floor; a jump to 2038 is over as soon as the clock is right again.
4. What an online key said of the time is forgotten when root takes that key away: a thief with a
   server must not be able to move the time for good.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edgeworthy.files import write_whole

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class SignedTime(msgspec.Struct, frozen=True, kw_only=True):
    """The time floor.

    Attributes:
        offline: Latest moment that an offline role stated.
        online: Latest moment that the timestamp stated.
        timestamp_keys: Key ids of the timestamp role when it did, sorted.
    """

    offline: datetime | None = None
    online: datetime | None = None
    timestamp_keys: tuple[str, ...] = ()

    @property
    def floor(self) -> datetime | None:
        """The later of both; absent before anything was seen."""
        known = [moment for moment in (self.offline, self.online) if moment is not None]
        return max(known, default=None)

    def with_keys(self, timestamp_keys: tuple[str, ...]) -> SignedTime:
        """What is left when these keys sign the timestamp (rule 4)."""
        if self.timestamp_keys == timestamp_keys:
            return self
        return SignedTime(offline=self.offline, timestamp_keys=timestamp_keys)

    def seen(
        self, *, offline: datetime | None = None, online: datetime | None = None
    ) -> SignedTime:
        """With verified moments of signing (rule 1)."""
        return SignedTime(
            offline=_later(self.offline, offline),
            online=_later(self.online, online),
            timestamp_keys=self.timestamp_keys,
        )

    def reference_time(self, own_clock: datetime | None) -> datetime:
        """The moment at which metadata are judged (rule 2).

        Args:
            own_clock: What the device's clock says; absent when it does not count.

        >>> floor = SignedTime(online=datetime(2026, 6, 1, tzinfo=UTC))
        >>> floor.reference_time(datetime(1970, 1, 1, tzinfo=UTC)).year
        2026
        """
        return max(own_clock or _LONG_AGO, self.floor or _LONG_AGO)


def load_signed_time(path: Path) -> SignedTime:
    """Read the floor; an absent or damaged file says nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SignedTime)
    except (OSError, msgspec.DecodeError):
        return SignedTime()


def store_signed_time(path: Path, signed_time: SignedTime) -> None:
    """Keep the floor, when it changed."""
    if load_signed_time(path) != signed_time:
        write_whole(path, msgspec.json.encode(signed_time))


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    known = [moment for moment in (first, second) if moment is not None]
    return max(known, default=None)
