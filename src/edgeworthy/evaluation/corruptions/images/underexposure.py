"""Underexposure."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class Underexposure(ImageCorruption[float]):
    """Too little light: few of the 256 steps are left, and the noise of the read-out shows.

    Levels: share of the light.
    """

    name = "underexposure"
    group = "camera"
    title = "Underexposure"
    source = "EMVA standard 1288, release 4.0: linear down to the read noise"
    levels = (0.7, 0.5, 0.35, 0.2, 0.1)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= np.float32(0.01)
        noise += samples * np.float32(level)
        noise *= np.float32(255)
        np.rint(noise, out=noise)
        noise *= np.float32(1 / 255)
        return noise
