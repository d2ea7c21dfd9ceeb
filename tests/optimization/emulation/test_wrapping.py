"""Sums of two that wrap, against lanes of 16 bits by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.optimization.emulation.products import Tally, sums_of_products
from edgeworthy.optimization.emulation.wrapping import (
    ConvolutionShape,
    convolution_pairs,
    depthwise_pairs,
    matrix_pairs,
    wraps,
)


def by_lanes(row: list[int], column: list[int]) -> int:
    """Eight lanes of 16 bits: the first eight products, the next eight added, then widened."""
    depth = len(row) + -len(row) % 16
    row, column = (each + [0] * (depth - len(each)) for each in (row, column))
    total = 0
    for block in range(0, depth, 16):
        for lane in range(block, block + 8):
            both = row[lane] * column[lane] + row[lane + 8] * column[lane + 8]
            total += (both + 32768) % 65536 - 32768
    return total


@settings(deadline=None)
@given(
    rows=st.integers(1, 4),
    depth=st.integers(1, 40),
    columns=st.integers(1, 4),
    signed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_sums_are_those_of_the_lanes(
    rows: int,
    depth: int,
    columns: int,
    signed: bool,  # noqa: FBT001 - drawn
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    # Unsigned bytes are multiplied as signed ones, 128 lower; the sum is mended afterwards.
    shift = 0 if signed else 128
    centred = generator.choice([-128, -128, -128, -127, 0, 127], (rows, depth))
    activations = (centred + shift).astype(np.int8 if signed else np.uint8)
    weights = generator.choice([-128, -128, -128, -127, 1, 127], (depth, columns)).astype(np.int8)
    tally = Tally()
    found = sums_of_products(
        activations,
        weights,
        saturates=False,
        wrapping=matrix_pairs(depth),
        steps=np.full(columns, 0.5),
        tally=tally,
    )
    lanes = [[by_lanes(row, column) for column in weights.T.tolist()] for row in centred.tolist()]
    expected = np.array(lanes) + shift * weights.astype(np.int64).sum(axis=0)
    np.testing.assert_array_equal(found, expected)
    exact = activations.astype(np.int64) @ weights.astype(np.int64)
    lost = exact - expected
    assert tally.saturated_count == lost.sum() / 65536
    assert tally.changed_count == np.count_nonzero(lost)
    assert tally.lost_most == lost.max() / 2


def test_nothing_wraps_without_a_weight_of_the_lowest() -> None:
    activations = np.full((3, 64), -128, dtype=np.int8)
    weights = np.full((64, 2), -127, dtype=np.int8)
    assert not wraps(activations, weights, matrix_pairs(64)).any()


def test_unsigned_weights_never_wrap() -> None:
    activations, weights = np.zeros((1, 32), np.uint8), np.zeros((32, 1), np.uint8)
    assert not wraps(activations, weights, matrix_pairs(32)).any()


@pytest.mark.parametrize("depth", [1, 8, 9, 16, 17, 24, 25, 100])
def test_no_place_of_a_matrix_product_is_added_twice(depth: int) -> None:
    places = matrix_pairs(depth).ravel().tolist()
    assert len(places) == len(set(places))
    assert all(place < depth for place in places)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (ConvolutionShape(1, 64, 8, 9, symmetric=True, signed=True), 9 * 32),
        (ConvolutionShape(1, 72, 8, 9, symmetric=True, signed=True), 9 * 32),
        (ConvolutionShape(1, 72, 8, 9, symmetric=False, signed=True), 320),
        (ConvolutionShape(1, 64, 8, 1, symmetric=True, signed=True), 0),
        (ConvolutionShape(1, 64, 12, 9, symmetric=True, signed=True), 0),
        (ConvolutionShape(2, 64, 8, 9, symmetric=True, signed=True), 0),
        (ConvolutionShape(2, 64, 8, 9, symmetric=True, signed=False), 288),
        (ConvolutionShape(1, 3, 8, 9, symmetric=True, signed=False), 11),
    ],
)
def test_the_shape_decides_how_a_convolution_adds(shape: ConvolutionShape, count: int) -> None:
    pairs = convolution_pairs(shape)
    assert len(pairs) == count
    assert len(np.unique(pairs)) == 2 * count
    assert (pairs[:, 1] - pairs[:, 0] == 8).all()


@pytest.mark.parametrize(
    ("group", "positions", "symmetric", "expected"),
    [
        (16, 9, True, [[0, 2], [1, 3], [4, 6], [5, 7]]),
        (24, 9, True, [[0, 1], [2, 3], [4, 5], [6, 7]]),
        (16, 4, True, [[0, 1], [2, 3]]),
        (16, 1, True, []),
        (12, 9, True, []),
        (16, 9, False, []),
    ],
)
def test_how_a_depthwise_convolution_adds(
    group: int,
    positions: int,
    symmetric: bool,  # noqa: FBT001 - a case
    expected: list[list[int]],
) -> None:
    shape = ConvolutionShape(group, 1, 1, positions, symmetric=symmetric, signed=True)
    assert depthwise_pairs(shape).tolist() == expected
