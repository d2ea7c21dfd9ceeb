"""Coarse steps."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.columns import TableCorruption


class QuantizedSensor(TableCorruption[float]):
    """A converter of few bits: values are rounded to steps.

    Levels: step, relative to the standard deviation of the column.
    """

    name = "quantized_sensor"
    group = "sensor"
    title = "Coarse steps"
    source = "Widrow and Kollar, Quantization noise, 2008"
    levels = (0.25, 0.5, 1.0, 1.5, 2.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        step = np.float32(level) * scene.facts.std
        result: Samples = scene.facts.mean + np.rint((samples - scene.facts.mean) / step) * step
        return result
