"""Scale error."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class ScaleError(SeriesCorruption[float]):
    """Wrong gain per channel, too high or too low.

    Levels: relative error of the gain.
    """

    name = "scale_error"
    group = "sensor"
    title = "Scale error"
    source = "Sensor faults of Ni et al., Sensor network data fault types, ACM TOSN 5 (2009)"
    levels = (0.05, 0.1, 0.2, 0.35, 0.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return samples * (1 + scene.draws.signs((samples.shape[2],)) * np.float32(level))[:, None]
