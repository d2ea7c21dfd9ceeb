from __future__ import annotations

import pytest

from edgeworthy.measurement.turns import settle_count, turn_query_count


@pytest.mark.parametrize(
    ("latency_ns", "count"),
    [(1, 100_000), (100_000, 100), (3_000_000, 3), (9_000_000, 1), (10**10, 1)],
)
def test_a_turn_takes_about_the_time_of_a_block(latency_ns: int, count: int) -> None:
    assert turn_query_count(latency_ns, 0.01) == count


@pytest.mark.parametrize(("count", "settle"), [(1, 0), (2, 1), (9, 1), (10, 3), (10_000, 3)])
def test_only_turns_of_several_queries_warm_the_caches_again(count: int, settle: int) -> None:
    assert settle_count(count) == settle
