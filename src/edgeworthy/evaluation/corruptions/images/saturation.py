"""Saturation."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, luminance


class Saturation(ImageCorruption[float]):
    """Colors fade towards gray; for pictures in color only.

    Levels: share of the color that is left.
    """

    name = "saturation"
    group = "digital"
    title = "Saturation"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261), which changes it both ways"
    least_channels = 3
    levels = (0.7, 0.5, 0.3, 0.15, 0.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        gray = luminance(samples)
        return gray + (samples - gray) * np.float32(level)
