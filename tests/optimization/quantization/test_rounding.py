"""Rounding that lets weights make up for one another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.optimization.quantization import rounding as rounding_module
from edgeworthy.optimization.quantization.rounding import (
    FREE_BOUNDS,
    Reactions,
    compensated,
    error_growth,
    neighbor_safe_bounds,
    pair_safe_bounds,
)
from edgeworthy.optimization.quantization.weight_scales import neighbor_sums


def case(seed: int, depth: int, *, groups: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, scales, and moments of inputs that move together."""
    generator = np.random.default_rng(seed)
    weights = generator.standard_normal((groups, 3, depth))
    inputs = generator.standard_normal((groups, 200, depth)) + 2 * generator.standard_normal(
        (groups, 200, 1)
    )
    moments = np.swapaxes(inputs, 1, 2) @ inputs / 200
    return weights, np.abs(weights).max(axis=2) / 7, moments


def output_error(difference: np.ndarray, moments: np.ndarray) -> float:
    """Mean square error of the outputs that a difference of the weights makes."""
    return float(np.einsum("gcd,gde,gce->", difference, moments, difference))


def errors(weights: np.ndarray, scales: np.ndarray, moments: np.ndarray) -> tuple[float, float]:
    """Of plain rounding, and of ours."""
    plain = np.rint(weights / scales[..., None])
    ours = compensated(weights, scales, Reactions.to(moments), FREE_BOUNDS)
    plain_error, our_error = (
        output_error(each * scales[..., None] - weights, moments) for each in (plain, ours)
    )
    return plain_error, our_error


def test_the_output_error_falls_to_a_part() -> None:
    pairs = [errors(*case(seed, 40)) for seed in range(10)]
    assert sum(ours for _, ours in pairs) < 0.35 * sum(plain for plain, _ in pairs)


def test_the_growth_is_the_difference_of_both_errors() -> None:
    weights, scales, moments = case(6, 20, groups=2)
    near, far = (np.rint(weights / scales[..., None] + off) for off in (0.0, 0.4))
    before, after = (each * scales[..., None] - weights for each in (near, far))
    expected = output_error(after, moments) - output_error(before, moments)
    assert error_growth(before, after, moments) == pytest.approx(expected, rel=1e-5)


def test_groups_are_rounded_by_themselves() -> None:
    weights, scales, moments = case(1, 9, groups=4)
    bounds = FREE_BOUNDS
    together = compensated(weights, scales, Reactions.to(moments), bounds)
    for index in range(4):
        part = slice(index, index + 1)
        alone = compensated(weights[part], scales[part], Reactions.to(moments[part]), FREE_BOUNDS)
        np.testing.assert_array_equal(together[part], alone)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, scales, moments = case(2, 50)
    expected = compensated(weights, scales, Reactions.to(moments), FREE_BOUNDS)
    monkeypatch.setattr(rounding_module, "_BLOCK", 7)
    found = compensated(weights, scales, Reactions.to(moments), FREE_BOUNDS)
    np.testing.assert_array_equal(found, expected)


def test_it_comes_near_the_best_that_there_is() -> None:
    weights, scales, moments = case(3, 5)
    weights, scales = weights[:, :1], scales[:, :1]
    floor = np.floor(weights / scales[..., None])
    best = min(
        output_error((floor + np.array(step)) * scales[..., None] - weights, moments)
        for step in itertools.product((0.0, 1.0), repeat=5)
    )
    plain, ours = errors(weights, scales, moments)
    assert best <= ours <= plain
    assert ours - best < 0.5 * (plain - best) + 1e-12


def test_inputs_that_are_always_zero_change_nothing() -> None:
    weights, scales, _ = case(4, 6)
    found = compensated(weights, scales, Reactions.to(np.zeros((1, 6, 6))), FREE_BOUNDS)
    np.testing.assert_array_equal(found, np.rint(weights / scales[..., None]))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 12))
def test_pairs_still_fit_16_bits(seed: int, depth: int) -> None:
    weights, _, moments = case(seed, depth)
    top = np.sort(np.maximum(weights, 0), axis=2)[..., -2:].sum(axis=2)
    bottom = np.sort(np.maximum(-weights, 0), axis=2)[..., -2:].sum(axis=2)
    scales = np.maximum(np.maximum(top, bottom), np.abs(weights).max(axis=2)) / 127
    plain = np.rint(weights / scales[..., None])
    found = compensated(weights, scales, Reactions.to(moments), pair_safe_bounds(plain))
    for sign in (1, -1):
        pairs = np.sort(np.maximum(sign * found, 0), axis=2)[..., -2:].sum(axis=2)
        assert (pairs <= 128).all()
    bounds = pair_safe_bounds(plain)
    assert ((bounds.lowest <= plain) & (plain <= bounds.highest)).all()


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 12))
def test_neighbors_still_fit_16_bits(seed: int, depth: int) -> None:
    weights, _, moments = case(seed, depth)
    beside = np.abs(neighbor_sums(weights)).max(axis=2)
    scales = np.maximum(beside, np.abs(weights).max(axis=2)) / 127
    plain = np.rint(weights / scales[..., None])
    bounds = neighbor_safe_bounds(plain)
    assert ((bounds.lowest <= plain) & (plain <= bounds.highest)).all()
    found = compensated(weights, scales, Reactions.to(moments), bounds)
    assert np.abs(found).max() <= 127
    assert (np.abs(neighbor_sums(found)) <= 128).all()


@pytest.mark.parametrize("depth", [3, 64, 200, 900])
def test_the_root_is_upper_triangular_and_that_of_the_damped_moments(depth: int) -> None:
    _, _, moments = case(3, depth, groups=2)
    root = rounding_module._root(moments)
    np.testing.assert_array_equal(root, np.triu(root))
    damping = 0.01 * np.diagonal(moments, axis1=1, axis2=2).mean(axis=1)
    damped = moments + damping[:, None, None] * np.eye(depth)
    np.testing.assert_allclose(np.swapaxes(root, 1, 2) @ root, damped, atol=1e-9)


def test_integers_are_those_of_the_updates_one_by_one() -> None:
    """The order of Optimal Brain Surgeon, written down as it is: an inverse for every weight."""
    weights, scales, moments = case(5, 30, groups=2)
    found = compensated(weights, scales, Reactions.to(moments), FREE_BOUNDS)
    for group in range(2):
        diagonal = np.diagonal(moments[group])
        damped = moments[group] + 0.01 * diagonal.mean() * np.eye(30)
        left = weights[group] / scales[group][:, None]
        pending = list(np.argsort(-diagonal, kind="stable"))
        while pending:
            weight, inverse = pending[0], np.linalg.inv(damped[np.ix_(pending, pending)])
            integers = np.clip(np.rint(left[:, weight]), -127, 127)
            np.testing.assert_array_equal(found[group, :, weight], integers)
            error = (left[:, weight] - integers) / inverse[0, 0]
            left[:, pending] -= error[:, None] * inverse[0]
            pending = pending[1:]


def test_moments_of_inputs_that_hardly_change_are_no_reason_to_fail() -> None:
    # sums in single precision leave directions of negative energy, more than the damping makes up
    weights, scales, moments = case(3, 12, groups=2)
    energies, directions = np.linalg.eigh(moments[1])
    energies[:4] = -0.05 * energies.mean()
    moments[1] = (directions * energies) @ directions.T
    rounded = compensated(weights, scales, Reactions.to(moments), FREE_BOUNDS)
    assert np.isfinite(rounded).all()
    assert np.abs(rounded - weights / scales[..., None]).max() < 8.0
    apart = compensated(weights[:1], scales[:1], Reactions.to(moments[:1]), FREE_BOUNDS)
    np.testing.assert_array_equal(rounded[:1], apart)
