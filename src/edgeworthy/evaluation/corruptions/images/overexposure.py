"""Overexposure."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class Overexposure(ImageCorruption[float]):
    """Too much light: bright parts are cut at white.

    Levels: times as much light.
    """

    name = "overexposure"
    group = "camera"
    title = "Overexposure"
    source = "EMVA standard 1288, release 4.0: linear up to saturation"
    levels = (1.3, 1.7, 2.2, 3.0, 4.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return samples * np.float32(level)
