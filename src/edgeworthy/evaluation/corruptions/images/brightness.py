"""Brightness."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class Brightness(ImageCorruption[float]):
    """All pixels brighter by the same amount.

    Levels: what is added, white being 1.
    """

    name = "brightness"
    group = "digital"
    title = "Brightness"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.1, 0.2, 0.3, 0.4, 0.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return samples + np.float32(level)
