"""Impulse noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class ImpulseNoise(ImageCorruption[float]):
    """Single values that are fully on or off, from bit errors and dead pixels.

    Levels: share of the values.
    """

    name = "impulse_noise"
    group = "noise"
    title = "Impulse noise"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.03, 0.06, 0.09, 0.17, 0.27)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        chance = scene.draws.uniform(samples.shape[1:])
        result = samples.copy()
        result[chance < np.float32(level / 2)] = 0.0
        result[chance > np.float32(1 - level / 2)] = 1.0
        return result
