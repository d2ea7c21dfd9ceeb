"""Turned or swapped axes."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption, turned


class AxisSwap(SeriesCorruption[float]):
    """The sensor is mounted at another angle, at last with two axes exchanged.

    For two channels or more.

    Levels: degrees by which the first two of each three channels (or the only two) are turned.
    """

    name = "axis_swap"
    group = "sensor"
    title = "Turned or swapped axes"
    source = "a rotation of the sensor's frame; a turn of 90 degrees exchanges two axes"
    least_channels = 2
    levels = (10.0, 20.0, 35.0, 60.0, 90.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return turned(samples, scene.draws.signs(()) * np.float32(math.radians(level)), scene.facts)
