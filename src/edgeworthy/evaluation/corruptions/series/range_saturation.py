"""Saturation."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class RangeSaturation(SeriesCorruption[float]):
    """Values beyond the sensor's range are cut.

    Levels: range, in standard deviations around the mean of the channel.
    """

    name = "range_saturation"
    group = "sensor"
    title = "Saturation"
    source = "Sensor faults of Ni et al., Sensor network data fault types, ACM TOSN 5 (2009)"
    levels = (2.0, 1.5, 1.0, 0.7, 0.4)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        reach = np.float32(level) * scene.facts.std
        return np.clip(samples, scene.facts.mean - reach, scene.facts.mean + reach)
