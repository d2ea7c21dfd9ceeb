"""Bias."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class SensorBias(SeriesCorruption[float]):
    """A constant error per channel, of random sign.

    Levels: relative to the standard deviation of the channel.
    """

    name = "sensor_bias"
    group = "sensor"
    title = "Bias"
    source = "Sensor faults of Ni et al., Sensor network data fault types, ACM TOSN 5 (2009)"
    levels = (0.2, 0.4, 0.7, 1.2, 2.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return (
            samples
            + (scene.draws.signs((samples.shape[2],)) * np.float32(level) * scene.facts.std)[
                :, None
            ]
        )
