"""When to look at the repository again. Pure.

Rules:

1. Looks are spread evenly around their mean, so that devices that were switched on together do not
   ask together; the first one comes soon, but not at once.
2. After a failure the wait is drawn between nothing and a limit that doubles, up to the mean.
3. Where a control plane names a time, that time counts, between a minute and a day.
"""

from __future__ import annotations

from collections.abc import Callable

#: Longest wait before the first look.
FIRST_SECONDS = 30.0
#: Limit of the wait after the first failure; it doubles.
RETRY_SECONDS = 60.0
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60.0, 86_400.0


def first_wait_seconds(interval_seconds: float, random: Callable[[], float]) -> float:
    """How long to wait before the first look.

    >>> first_wait_seconds(3600, lambda: 0.5)
    15.0
    """
    return min(FIRST_SECONDS, interval_seconds) * random()


def next_wait_seconds(
    interval_seconds: float,
    failures: int,
    random: Callable[[], float],
    *,
    asked_seconds: float | None = None,
) -> float:
    """How long to wait before the next look.

    Args:
        interval_seconds: Mean time between two looks.
        failures: Failed looks in a row.
        random: Evenly drawn numbers in [0, 1).
        asked_seconds: What a control plane asks for.

    >>> next_wait_seconds(3600, 0, lambda: 0.5), next_wait_seconds(3600, 0, lambda: 0.0)
    (3600.0, 1800.0)
    >>> next_wait_seconds(3600, 2, lambda: 0.5)
    60.0
    >>> next_wait_seconds(3600, 0, lambda: 0.5, asked_seconds=5)
    60.0
    """
    if failures:
        limit = min(interval_seconds, RETRY_SECONDS * (1 << min(failures - 1, 20)))
        return limit * random()
    if asked_seconds is not None:
        return min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, asked_seconds))
    return interval_seconds * (0.5 + random())
