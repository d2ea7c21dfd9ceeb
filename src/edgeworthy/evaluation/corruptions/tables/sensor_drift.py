"""Drift."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.columns import TableCorruption


class SensorDrift(TableCorruption[float]):
    """Sensors age: each column moves away in a direction of its own, each row at some age.

    Levels: drift at the highest age, relative to the standard deviation of the column.
    """

    name = "sensor_drift"
    group = "sensor"
    title = "Drift"
    source = (
        "Vergara et al., Chemical gas sensor drift compensation, Sensors and Actuators B 166 (2012)"
    )
    levels = (0.25, 0.5, 1.0, 1.5, 2.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        age = scene.draws.uniform(())[:, None]
        directions = np.where(np.arange(samples.shape[1]) % 2, np.float32(-1), np.float32(1))
        return samples + age * np.float32(level) * scene.facts.std * directions
