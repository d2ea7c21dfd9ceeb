"""Gaussian noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class GaussianNoise(ImageCorruption[float]):
    """Even noise of electronics in poor light.

    Levels: standard deviation, white being 1.
    """

    name = "gaussian_noise"
    group = "noise"
    title = "Gaussian noise"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.08, 0.12, 0.18, 0.26, 0.38)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= np.float32(level)
        noise += samples
        return noise
