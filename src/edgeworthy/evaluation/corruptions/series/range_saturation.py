"""Saturation."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Facts, Samples
from edgeworthy.evaluation.corruptions.draws import Draws
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

    def apply(
        self,
        samples: Samples,
        level: float,
        draws: Draws,  # noqa: ARG002 - of those that need it
        facts: Facts,
    ) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        reach = np.float32(level) * facts.std
        return np.clip(samples, facts.mean - reach, facts.mean + reach)
