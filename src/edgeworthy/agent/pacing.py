"""How fast is too slow, and how long to wait before the next attempt. Pure.

Rules:

1. Speed is judged as an average over a window, never by the gap between two bytes: a server that
   sends a byte now and then must not hold a device for days.
2. A wait is drawn evenly between nothing and a limit that doubles with each attempt (full jitter),
   so that devices which failed together do not come back together.
3. A server's Retry-After is a lower bound for the wait, up to the longest wait there is.

Source of rule 2: M. Brooker, Exponential backoff and jitter, AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Patience:
    """What a transfer may cost.

    Attributes:
        lowest_bytes_per_second: Average over the window below which a source is given up.
        window_seconds: Length of the window.
        attempts: Attempts in a row without notable progress.
        first_wait_seconds: Limit of the first wait; it doubles.
        longest_wait_seconds: Limit of every wait.
        notable_bytes: What an attempt must bring for the attempts to be counted anew.
        answer_seconds: How long a source may stay silent.
    """

    lowest_bytes_per_second: float = 1_000.0
    window_seconds: float = 60.0
    attempts: int = 6
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    notable_bytes: int = 1 << 20
    answer_seconds: float = 30.0


@dataclass
class SpeedWindow:
    """The average speed over the last window (rule 1).

    >>> window = SpeedWindow(Patience(lowest_bytes_per_second=10, window_seconds=5), started=0.0)
    >>> [window.too_slow(float(second), 1) for second in range(1, 7)]
    [False, False, False, False, True, True]
    """

    patience: Patience
    started: float
    _pieces: deque[tuple[float, int]] = field(default_factory=deque)
    _sum: int = 0

    def too_slow(self, now: float, size_bytes: int) -> bool:
        """Count some bytes; whether the source is to be given up.

        Args:
            now: Seconds of a clock that never goes back.
            size_bytes: What arrived since the last call.
        """
        self._pieces.append((now, size_bytes))
        self._sum += size_bytes
        while self._pieces and self._pieces[0][0] <= now - self.patience.window_seconds:
            self._sum -= self._pieces.popleft()[1]
        if now - self.started < self.patience.window_seconds:
            return False
        return self._sum < self.patience.lowest_bytes_per_second * self.patience.window_seconds


def wait_seconds(
    attempt: int,
    patience: Patience,
    random: Callable[[], float],
    *,
    retry_after_seconds: float = 0.0,
) -> float:
    """How long to wait before the next attempt (rules 2 and 3).

    Args:
        attempt: Failed attempts so far, from 1.
        patience: The limits.
        random: Evenly drawn numbers in [0, 1).
        retry_after_seconds: What the server asked for.

    >>> wait_seconds(3, Patience(), lambda: 0.5)
    2.0
    >>> wait_seconds(1, Patience(), lambda: 0.5, retry_after_seconds=100_000)
    300.0
    """
    limit = min(
        patience.longest_wait_seconds, patience.first_wait_seconds * (1 << min(attempt - 1, 32))
    )
    drawn = limit * random()
    return max(drawn, min(retry_after_seconds, patience.longest_wait_seconds))
