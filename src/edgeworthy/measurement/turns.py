"""How many queries a turn has.

Rules:

1. Turns take about equal time, whatever a query takes.
2. The first queries of a turn find cold caches, as no stream of queries does: they are not timed,
   where a turn can spare them.
"""

from __future__ import annotations

_NANOSECONDS = 1_000_000_000
_LONGEST_TURN_QUERIES = 100_000
#: Turns of at least so many queries can spare so many to warm the caches again.
_SETTLE_COUNTS = ((10, 3), (2, 1))


def turn_query_count(latency_ns: int, block_s: float) -> int:
    """Queries in one turn.

    >>> turn_query_count(100_000, 0.01), turn_query_count(50_000_000, 0.01)
    (100, 1)
    """
    return min(max(round(block_s * _NANOSECONDS / latency_ns), 1), _LONGEST_TURN_QUERIES)


def settle_count(query_count: int) -> int:
    """Untimed queries before those of a turn.

    >>> settle_count(100), settle_count(5), settle_count(1)
    (3, 1, 0)
    """
    return next((settle for least, settle in _SETTLE_COUNTS if query_count >= least), 0)
