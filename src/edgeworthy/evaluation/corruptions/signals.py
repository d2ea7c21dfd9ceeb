"""What corruptions of series are built from: ``(n, time, channels)`` in the units of the sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.corruptions.base import Corruption, Facts, LevelT, Samples
from edgeworthy.evaluation.corruptions.waves import delayed

__all__ = ["SeriesCorruption", "delayed", "turned"]
_TRIPLE = 3


class SeriesCorruption(Corruption[LevelT]):
    """A corruption of series: ``(n, time, channels)``."""

    kind = "series"


def turned(samples: Samples, angles: NDArray[np.float32], facts: Facts) -> Samples:
    """The first two of each three channels turned against each other around their means."""
    result = samples.copy()
    channels = samples.shape[2]
    starts = range(0, channels - 2, _TRIPLE) if channels >= _TRIPLE else (0,)
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    for first in starts:
        one, two = (samples[:, :, each] - facts.mean[each] for each in (first, first + 1))
        result[:, :, first] = cosine * one - sine * two + facts.mean[first]
        result[:, :, first + 1] = sine * one + cosine * two + facts.mean[first + 1]
    return result
