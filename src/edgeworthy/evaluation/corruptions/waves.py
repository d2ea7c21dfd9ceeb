"""What corruptions of sound are built from: ``(n, time, channels)``, full scale is 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.corruptions.base import Corruption, Facts, LevelT, Samples

#: A sample that is this much softer than usual gets no softer noise.
_SOFTEST_SHARE = 0.1


class SoundCorruption(Corruption[LevelT]):
    """A corruption of sound: ``(n, time, channels)`` from -1 to 1."""

    kind = "sound"
    bounds = (-1.0, 1.0)


def rms_of(samples: Samples, facts: Facts) -> Samples:
    """``(n, 1, 1)``: root mean square of each sample, not below a tenth of the set's own.

    Silence has no signal-to-noise ratio; a microphone still hears the noise around it.
    """
    own = np.sqrt(np.mean(samples**2, axis=(1, 2), keepdims=True))
    usual = np.sqrt(np.mean(facts.pool**2, dtype=np.float64))
    result: Samples = np.maximum(own, np.float32(_SOFTEST_SHARE * usual))
    return result


def delayed(samples: Samples, factors: NDArray[np.float32]) -> Samples:
    """Each sample played ``factor`` times as fast around its middle; the last value goes on."""
    length = samples.shape[1]
    time = np.arange(length) - (length - 1) / 2
    result = np.empty_like(samples)
    for sample, factor, place in zip(samples, factors.tolist(), result, strict=True):
        position = np.clip(time * factor + (length - 1) / 2, 0, length - 1)
        left = np.minimum(position.astype(np.int64), max(0, length - 2))
        share = (position - left).astype(np.float32)[:, None]
        right = np.minimum(left + 1, length - 1)
        place[...] = sample[left] + (sample[right] - sample[left]) * share
    return result
