"""Measurement noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class MeasurementNoise(SeriesCorruption[float]):
    """Noise on every value.

    Levels: standard deviation, relative to that of the channel.
    """

    name = "measurement_noise"
    group = "noise"
    title = "Measurement noise"
    source = "Sensor faults of Ni et al., Sensor network data fault types, ACM TOSN 5 (2009)"
    levels = (0.1, 0.2, 0.35, 0.6, 1.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= np.float32(level) * scene.facts.std
        noise += samples
        return noise
