"""Fog."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, smooth_field


class Fog(ImageCorruption[float]):
    """Light from the scene is lost and gray light takes its place, unevenly.

    Levels: share of the light that is lost where the fog is thickest.
    """

    name = "fog"
    group = "weather"
    title = "Fog"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.4, 0.5, 0.6, 0.7, 0.8)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        haze = smooth_field(scene.draws, samples.shape[1:3], 3, octaves=4)[..., None]
        haze *= np.float32(0.5 * level)
        haze += np.float32(0.5 * level)
        return samples + (np.float32(0.85) - samples) * haze
