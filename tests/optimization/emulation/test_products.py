"""Sums of products against arithmetic by hand, one integer after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.optimization.emulation import products as products_module
from edgeworthy.optimization.emulation.products import Tally, sums_of_products


def by_hand(
    activations: list[list[int]], weights: list[list[int]], *, saturates: bool
) -> list[list[int]]:
    """Plain Python integers, no arrays."""
    result = []
    for row in activations:
        sums = []
        for column in zip(*weights, strict=True):
            terms = [a * w for a, w in zip(row, column, strict=True)]
            terms += [0] * (len(terms) % 2)
            pairs = [terms[i] + terms[i + 1] for i in range(0, len(terms), 2)]
            if saturates:
                pairs = [min(32767, max(-32768, pair)) for pair in pairs]
            sums.append(sum(pairs))
        result.append(sums)
    return result


@settings(deadline=None)
@given(
    rows=st.integers(1, 4),
    depth=st.integers(1, 9),
    columns=st.integers(1, 4),
    saturates=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_sums_are_those_by_hand(
    rows: int,
    depth: int,
    columns: int,
    saturates: bool,  # noqa: FBT001 - drawn
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    activations = generator.choice([0, 1, 128, 200, 254, 255], (rows, depth)).astype(np.uint8)
    weights = generator.choice([-128, -127, -100, -1, 0, 64, 65, 127], (depth, columns))
    weights = weights.astype(np.int8)
    tally = Tally()
    found = sums_of_products(
        activations, weights, saturates=saturates, steps=np.ones(columns), tally=tally
    )
    expected = by_hand(activations.tolist(), weights.tolist(), saturates=saturates)
    exact = by_hand(activations.tolist(), weights.tolist(), saturates=False)
    np.testing.assert_array_equal(found, expected)
    difference = np.abs(np.array(expected) - np.array(exact))
    assert tally.sum_count == rows * columns
    assert tally.pair_count == rows * columns * ((depth + 1) // 2)
    assert tally.lost_most == difference.max()
    assert tally.changed_count <= tally.saturated_count <= tally.pair_count


def test_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    activations = generator.integers(0, 256, (33, 20), dtype=np.uint8)
    weights = generator.integers(-127, 128, (20, 5), dtype=np.int8)
    steps = np.ones(5)
    whole, parts = Tally(), Tally()
    expected = sums_of_products(activations, weights, saturates=True, steps=steps, tally=whole)
    monkeypatch.setattr(products_module, "_PORTION_NUMBERS", 150)
    found = sums_of_products(activations, weights, saturates=True, steps=steps, tally=parts)
    np.testing.assert_array_equal(found, expected)
    assert whole.saturated_count == parts.saturated_count > 0
    assert whole.lost_total == pytest.approx(parts.lost_total)


def test_long_sums_stay_exact() -> None:
    activations = np.full((1, 5001), 255, dtype=np.uint8)
    weights = np.full((5001, 1), 127, dtype=np.int8)
    found = sums_of_products(activations, weights, saturates=False, steps=np.ones(1), tally=Tally())
    assert int(found[0, 0]) == 5001 * 255 * 127 > 2**24


def test_signed_bytes() -> None:
    activations = np.full((1, 2), -128, dtype=np.int8)
    weights = np.full((2, 1), -127, dtype=np.int8)
    found = sums_of_products(activations, weights, saturates=False, steps=np.ones(1), tally=Tally())
    assert int(found[0, 0]) == 32512
