"""Frost."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, smooth_field


class Frost(ImageCorruption[float]):
    """Ice crystals on the lens: bright ridges that hide what is behind them.

    Levels: how much of the light the ice takes where it is thickest.
    """

    name = "frost"
    group = "weather"
    title = "Frost"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.35, 0.5, 0.6, 0.7, 0.8)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        hills = smooth_field(scene.draws, samples.shape[1:3], 5, octaves=3)
        hills -= np.float32(0.5)
        np.abs(hills, out=hills)
        ice = np.clip(1 - hills * np.float32(5), 0, 1)[..., None]
        ice *= np.float32(0.7 * level)
        ice += np.float32(0.3 * level)
        result: Samples = samples + (np.float32(0.9) - samples) * ice
        return result
