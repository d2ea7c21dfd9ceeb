"""Contrast."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class Contrast(ImageCorruption[float]):
    """All pixels closer to the mean of their picture.

    Levels: share of the contrast that is left.
    """

    name = "contrast"
    group = "digital"
    title = "Contrast"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.4, 0.3, 0.2, 0.1, 0.05)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        mean = samples.reshape(len(samples), -1, samples.shape[-1]).mean(axis=1)[:, None, None]
        result: Samples = mean + (samples - mean) * np.float32(level)
        return result
