"""The laws of the family: a new corruption is tested by existing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.evaluation.corruptions import (
    SEVERITIES,
    AnyCorruption,
    Draws,
    SampleKeys,
    Scene,
    every_corruption,
)
from evaluation.corruptions.natural import SETS, facts_of

CASES = [
    pytest.param(corruption, samples, id=f"{corruption.name}-{name.replace(' ', '-')}")
    for corruption in every_corruption()
    for name, samples in SETS[corruption.kind].items()
    if samples.shape[-1] >= corruption.least_channels
]
Samples = NDArray[np.float32]


def corrupted(
    corruption: AnyCorruption, samples: Samples, severity: int, *, seed: int = 0
) -> Samples:
    draws = Draws(seed, corruption.name, SampleKeys(samples))
    return corruption.corrupt(samples, severity, draws, facts_of(SETS_BY_SHAPE[samples.shape[1:]]))


SETS_BY_SHAPE = {samples.shape[1:]: samples for sets in SETS.values() for samples in sets.values()}


@pytest.mark.parametrize(("corruption", "samples"), CASES)
def test_shape_dtype_and_range_are_kept_and_the_input_is_not_changed(
    corruption: AnyCorruption, samples: Samples
) -> None:
    before = samples.copy()
    for severity in SEVERITIES:
        made = corrupted(corruption, samples, severity)
        assert made.shape == samples.shape
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        if corruption.bounds is not None:
            assert made.min() >= corruption.bounds[0]
            assert made.max() <= corruption.bounds[1]
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize(("corruption", "samples"), CASES)
def test_severity_0_leaves_the_samples_as_they_are(
    corruption: AnyCorruption, samples: Samples
) -> None:
    np.testing.assert_array_equal(corrupted(corruption, samples, 0), samples)


@pytest.mark.parametrize(("corruption", "samples"), CASES)
def test_a_sample_is_corrupted_alike_in_any_order_and_any_batch(
    corruption: AnyCorruption, samples: Samples
) -> None:
    at_once = corrupted(corruption, samples, 3)
    order = np.random.default_rng(1).permutation(len(samples))
    np.testing.assert_array_equal(corrupted(corruption, samples[order], 3), at_once[order])
    one_by_one = [corrupted(corruption, samples[[index]], 3) for index in range(4)]
    np.testing.assert_array_equal(np.concatenate(one_by_one), at_once[:4])
    np.testing.assert_array_equal(corrupted(corruption, samples[1:4], 3), at_once[1:4])


@pytest.mark.parametrize(("corruption", "samples"), CASES)
def test_the_mean_damage_grows_with_the_severity(
    corruption: AnyCorruption, samples: Samples
) -> None:
    if corruption.kind == "image" and 1 in samples.shape[1:3]:
        return  # one row of pixels cannot be blurred or sheared more and more
    damage = [
        float(np.abs(corrupted(corruption, samples, severity) - samples).mean())
        for severity in SEVERITIES
    ]
    assert damage[0] > 0
    # What has nothing left to lose, as a tone out of phase, may vary a little.
    assert all(more >= 0.98 * less for less, more in itertools.pairwise(damage))
    assert damage[-1] > 1.1 * damage[0]


@pytest.mark.parametrize("corruption", every_corruption(), ids=lambda each: each.name)
def test_another_seed_gives_another_corruption_where_there_is_chance(
    corruption: AnyCorruption,
) -> None:
    samples = next(
        each
        for each in SETS[corruption.kind].values()
        if each.shape[-1] >= corruption.least_channels
    )
    first, again, other = (corrupted(corruption, samples, 5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    facts = facts_of(samples)
    silent = _Counting(1, corruption.name, SampleKeys(samples))
    corruption.apply(samples, corruption.levels[4], Scene(silent, facts))
    assert (first != other).any() == silent.asked


class _Counting(Draws):
    """Draws that know whether they were asked."""

    asked = False

    @property
    def streams(self) -> list[np.random.Generator]:
        self.asked = True
        return super().streams


def test_every_corruption_explains_itself() -> None:
    every = every_corruption()
    assert len({each.name for each in every}) == len(every) >= 50
    for each in every:
        assert each.title
        assert each.source
        assert "Levels:" in (type(each).__doc__ or "")
        assert len(each.levels) == len(SEVERITIES)
    assert not {each.name for each in every} & {each.group for each in every}


def test_a_corruption_that_breaks_its_contract_is_found_out() -> None:
    corruption = next(each for each in every_corruption() if each.name == "brightness")

    class Broken(type(corruption)):  # type: ignore[misc]  # of any corruption
        def apply(self, samples: Samples, *_rest: object) -> Samples:
            return samples * np.float32(np.nan)

    samples = SETS["image"]["8x8 gray"]
    with pytest.raises(AssertionError, match="brightness broke its contract"):
        corrupted(Broken(), samples, 1)
