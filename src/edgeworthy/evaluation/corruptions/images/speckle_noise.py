"""Speckle noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class SpeckleNoise(ImageCorruption[float]):
    """Noise that grows with the brightness, as of coherent light and radar.

    Levels: standard deviation relative to the pixel.
    """

    name = "speckle_noise"
    group = "noise"
    title = "Speckle noise"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.15, 0.2, 0.35, 0.45, 0.6)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= np.float32(level)
        noise += np.float32(1)
        noise *= samples
        return noise
