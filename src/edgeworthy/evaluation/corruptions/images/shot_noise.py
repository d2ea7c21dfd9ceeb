"""Shot noise."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption

_BRIGHTNESSES = 255
_CHANCES = 4096


class ShotNoise(ImageCorruption[float]):
    """Light comes in photons, and few of them are counted unevenly.

    Levels: photons that a white pixel counts. Counts are drawn by their exact distribution at
    255 brightnesses and 4,096 probabilities.
    """

    name = "shot_noise"
    group = "noise"
    title = "Shot noise"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (60.0, 25.0, 12.0, 5.0, 3.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        table = _counts(level)
        chance = np.empty(samples.shape, np.uint16)
        for stream, place in zip(scene.draws.streams, chance, strict=True):
            place[...] = stream.integers(0, _CHANCES, place.shape, dtype=np.uint16)
        places = (samples * np.float32(_BRIGHTNESSES) + np.float32(0.5)).astype(np.int32)
        places *= _CHANCES
        places += chance
        return np.take(table, places)


@cache
def _counts(photons: float) -> NDArray[np.float32]:
    """``(brightnesses * chances,)``: brightness that is counted, by brightness and probability."""
    expected = np.arange(_BRIGHTNESSES + 1)[:, None] / _BRIGHTNESSES * photons
    most = math.ceil(photons + 6 * math.sqrt(photons) + 6)
    # Each term of the Poisson distribution from the one before it.
    terms = np.empty((_BRIGHTNESSES + 1, most))
    terms[:, :1] = np.exp(-expected)
    for count in range(1, most):
        terms[:, count] = terms[:, count - 1] * expected[:, 0] / count
    reached = np.cumsum(terms, axis=1)
    chances = (np.arange(_CHANCES) + 0.5) / _CHANCES
    counts = np.stack([np.searchsorted(row, chances) for row in reached])
    return (counts / photons).astype(np.float32).ravel()
