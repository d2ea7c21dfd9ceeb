"""Bias."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Facts, Samples
from edgeworthy.evaluation.corruptions.draws import Draws
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

    def apply(self, samples: Samples, level: float, draws: Draws, facts: Facts) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return samples + (draws.signs((samples.shape[2],)) * np.float32(level) * facts.std)[:, None]
