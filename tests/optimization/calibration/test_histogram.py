"""Counts of values in fixed memory."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgeworthy.optimization.calibration import Histogram
from edgeworthy.optimization.calibration.histogram import BIN_COUNT

VALUES = arrays.arrays(
    np.float32,
    st.integers(1, 60),
    elements=st.floats(-(2.0**20), 2.0**20, width=32, allow_subnormal=False),
)


def counted(*parts: np.ndarray) -> Histogram:
    seen = Histogram()
    for part in parts:
        seen.add(part)
    return seen


@given(values=VALUES, cut=st.integers(0, 60), seed=st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_order_and_batches_do_not_matter(values: np.ndarray, cut: int, seed: int) -> None:
    mixed = np.random.default_rng(seed).permutation(values)
    whole, parts = counted(values), counted(mixed[:cut], mixed[cut:])
    assert whole.reach == parts.reach
    np.testing.assert_array_equal(whole.counts, parts.counts)


@given(values=VALUES)
@settings(max_examples=100, deadline=None)
def test_every_value_is_counted_where_it_belongs(values: np.ndarray) -> None:
    seen = counted(values)
    assert seen.value_count == values.size
    assert (seen.lowest, seen.highest) == (values.min(), values.max())
    assert np.abs(values).max() <= seen.reach
    expected = np.histogram(
        values.astype(np.float64),
        bins=(np.arange(BIN_COUNT + 1) - BIN_COUNT // 2) * seen.width,
    )[0]
    np.testing.assert_array_equal(seen.counts, expected)


def test_middles_stay_within_what_was_seen() -> None:
    middles, counts = counted(np.array([0.0, 0.0, 6.0], np.float32)).filled()
    assert middles[0] >= 0.0
    assert middles[-1] <= 6.0
    assert counts[[0, -1]].tolist() == [2.0, 1.0]


def test_nothing_seen() -> None:
    seen = counted(np.zeros(0, np.float32))
    assert seen.value_count == 0
    assert all(part.size == 0 for part in seen.filled())
