"""No pair of products may saturate, and no bit is given away for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgeworthy.optimization.quantization.weight_scales import (
    full_scales,
    neighbor_safe_scales,
    neighbor_sums,
    pair_safe_scales,
)

WEIGHTS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=4, max_side=6),
    elements=st.floats(-1e3, 1e3, width=32),
)


def integers(weight: NDArray[Any], axis: int) -> NDArray[np.int64]:
    """Rows of integer weights, rounded as ONNX rounds: half to even."""
    scales = pair_safe_scales(weight, axis=axis)
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    return np.rint(rows / scales[:, None]).astype(np.int64)


def vpmaddubsw_largest(row: NDArray[np.int64]) -> int:
    """Largest absolute sum of two products of a byte and a weight of the row, in any pairing."""
    top = np.sort(np.maximum(row, 0))[-2:].sum()
    bottom = np.sort(np.maximum(-row, 0))[-2:].sum()
    return int(255 * max(top, bottom))


@given(weight=WEIGHTS, axis=st.integers(0, 1))
def test_no_pair_saturates(weight: NDArray[Any], axis: int) -> None:
    for row in integers(weight, axis):
        assert np.abs(row).max() <= 127
        assert vpmaddubsw_largest(row) <= 2**15 - 1


@given(weight=WEIGHTS)
def test_never_coarser_than_the_seven_bits_it_replaces(weight: NDArray[Any]) -> None:
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
    scales = pair_safe_scales(weight, axis=0)
    assert scales.shape == (len(weight),)
    real = largest > 1e-30
    assert (scales[real] <= largest[real] / 63.49).all()


def test_an_outlier_keeps_eight_bits() -> None:
    np.testing.assert_array_equal(
        integers(np.array([[1.27, 0.0, -0.6]], np.float32), 0), [[127, 0, -60]]
    )


def test_two_large_weights_share_seven_bits() -> None:
    np.testing.assert_array_equal(integers(np.array([[1.0, 1.0]], np.float32), 0), [[64, 64]])


def test_zeros_and_dust_have_the_scale_one() -> None:
    weight = np.array([[0.0, 0.0], [1e-44, 0.0]], np.float32)
    np.testing.assert_array_equal(pair_safe_scales(weight, axis=0), [1.0, 1.0])


def test_a_single_weight_per_channel() -> None:
    np.testing.assert_array_equal(
        integers(np.array([[2.0], [-3.0]], np.float32), 0), [[127], [-127]]
    )


@given(weight=WEIGHTS, products=st.booleans())
def test_no_neighbors_saturate_and_no_scale_is_coarser_than_it_must_be(
    weight: NDArray[Any],
    products: bool,  # noqa: FBT001 - drawn
) -> None:
    scales = neighbor_safe_scales(weight, axis=0, products=products)
    rows = weight if products else np.moveaxis(weight, 1, -1)
    rows = rows.reshape(len(weight), -1).astype(np.float64)
    found = np.rint(rows / scales.astype(np.float64)[:, None])
    assert np.abs(found).max() <= 127
    assert 255 * np.abs(neighbor_sums(found)).max() <= 2**15 - 1
    assert (scales <= pair_safe_scales(weight, axis=0)).all()
    assert (scales >= full_scales(weight, axis=0)).all()


def test_neighbors_of_a_convolution_are_channels_at_one_place() -> None:
    """Weights beside each other along the kernel are never multiplied in one step."""
    weight = np.zeros((1, 2, 1, 2), np.float32)
    weight[0, 0, 0, :] = 1.27
    np.testing.assert_allclose(neighbor_safe_scales(weight, axis=0), [0.01])
    weight[0, :, 0, 0], weight[0, :, 0, 1] = 1.27, 0.0
    np.testing.assert_allclose(neighbor_safe_scales(weight, axis=0), [0.02])
