from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.optimization.search import Tried, fewest, next_count


def search(layer_count: int, needed: int, slow_from: int) -> tuple[dict[int, Tried], int]:
    """Ask until there is nothing to ask, against a model of which all is known."""
    tried = {0: Tried(enough=needed == 0, worthwhile=True)}
    steps = 0
    while (count := next_count(layer_count, tried)) is not None:
        assert count not in tried, "nothing is tried twice"
        assert 0 < count <= layer_count
        tried[count] = Tried(enough=count >= needed, worthwhile=count < slow_from)
        steps += 1
    return tried, steps


@given(st.integers(2, 300), st.integers(0, 300), st.integers(1, 400))
def test_it_finds_the_fewest_layers_in_few_steps(
    layer_count: int, needed: int, slow_from: int
) -> None:
    tried, steps = search(layer_count, needed, slow_from)
    most = max(1, layer_count // 2)
    assert steps <= 3 + most.bit_length()
    possible = 0 < needed <= most and needed < slow_from
    if possible:
        assert fewest(tried) == needed
    elif needed:
        assert fewest(tried) is None


def test_what_is_good_enough_in_integers_asks_for_nothing() -> None:
    assert next_count(40, {0: Tried(enough=True, worthwhile=True)}) is None


def test_a_single_layer_cannot_be_mixed() -> None:
    assert next_count(1, {0: Tried(enough=False, worthwhile=True)}) is None


def test_the_same_findings_ask_the_same() -> None:
    tried = {0: Tried(enough=False, worthwhile=True), 1: Tried(enough=False, worthwhile=True)}
    assert next_count(30, tried) == next_count(30, dict(reversed(tried.items()))) == 15
