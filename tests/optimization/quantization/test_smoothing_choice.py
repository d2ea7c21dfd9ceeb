"""How far outliers move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.optimization.quantization.smoothing_choice import (
    Channels,
    Reals,
    chosen_factors,
    noise_of,
)


def seen(values: Reals) -> Channels:
    channels = Channels.unseen(values.shape[1])
    for run in np.array_split(values, 3):
        squares = (run**2).sum(axis=0)
        channels.add(run.max(axis=0), run.min(axis=0), squares, len(run))
    return channels


def outlying(generator: np.random.Generator, size: float = 50.0) -> Reals:
    values = generator.standard_normal((600, 24))
    values[:, 5] *= size
    return np.asarray(values)


def rounded(values: Reals, step: Reals | float) -> Reals:
    return np.asarray(np.rint(values / step) * step)


def test_channels_are_those_of_all_runs_together(generator: np.random.Generator) -> None:
    values = generator.standard_normal((31, 4)) + 0.5
    channels = seen(values)
    np.testing.assert_allclose(channels.power, (values**2).mean(axis=0))
    np.testing.assert_allclose(channels.peaks, np.abs(values).max(axis=0))


def test_the_noise_that_is_worked_out_is_the_noise_that_comes(
    generator: np.random.Generator,
) -> None:
    values, weights = generator.standard_normal((4000, 24)), generator.standard_normal((24, 8))
    channels = seen(values)
    step = (channels.highest.max() - channels.lowest.min()) / 255
    of_activations = (((rounded(values, step) - values) @ weights) ** 2).mean(axis=0).sum()
    steps = np.abs(weights).max(axis=0) / 127
    of_weights = ((values @ (rounded(weights, steps) - weights)) ** 2).mean(axis=0).sum()
    told = noise_of(channels, weights, np.ones(24))
    assert told == pytest.approx(of_activations + 4 * of_weights, rel=0.2)


def test_an_outlier_moves_and_less_is_lost(generator: np.random.Generator) -> None:
    values, weights = outlying(generator), generator.standard_normal((24, 8))
    channels = seen(values)
    (factors,) = chosen_factors({"x": channels}, {"x": [weights[:, :3], weights[:, 3:]]}).values()
    assert factors.argmax() == 5
    assert np.log(factors).mean() == pytest.approx(0.0, abs=1e-9)
    assert noise_of(channels, weights, factors) < noise_of(channels, weights, np.ones(24)) / 4


def test_even_channels_are_left_alone_and_so_is_what_hardly_counts(
    generator: np.random.Generator,
) -> None:
    weights = generator.standard_normal((24, 8))
    even = seen(generator.standard_normal((600, 24)))
    assert chosen_factors({"x": even}, {"x": [weights]}) == {}
    deaf = weights.copy()
    deaf[5] /= 900.0
    both = {"loud": seen(outlying(generator, 900.0)), "quiet": seen(outlying(generator, 6.0))}
    assert list(chosen_factors(both, {"loud": [deaf], "quiet": [weights]})) == ["loud"]
    alone = {"quiet": both["quiet"]}
    assert list(chosen_factors(alone, {"quiet": [weights]})) == ["quiet"]


@given(seed=st.integers(0, 2**32 - 1), silent=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_factors_are_positive_finite_and_never_noisier(seed: int, silent: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((40, 6)) * np.exp(generator.standard_normal(6) * 4)
    values[:, silent] = 0.0
    weights = generator.standard_normal((6, 5))
    channels = seen(values)
    for factors in chosen_factors({"x": channels}, {"x": [weights]}).values():
        assert np.isfinite(factors).all()
        assert (factors > 0.0).all()
        assert factors[silent] == 1.0
        assert noise_of(channels, weights, factors) < noise_of(channels, weights, np.ones(6))


def test_a_tensor_of_zeros_has_nothing_to_move() -> None:
    assert chosen_factors({"x": seen(np.zeros((9, 4)))}, {"x": [np.ones((4, 2))]}) == {}
