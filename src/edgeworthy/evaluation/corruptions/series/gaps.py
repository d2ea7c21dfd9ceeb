"""Gaps."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class Gaps(SeriesCorruption[float]):
    """The sensor is away for a while; the last value stands until it is back.

    Levels: share of the time.
    """

    name = "gaps"
    group = "sensor"
    title = "Gaps"
    source = "Sensor faults of Ni et al., Sensor network data fault types, ACM TOSN 5 (2009)"
    levels = (0.1, 0.2, 0.3, 0.45, 0.6)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        length = samples.shape[1]
        starts = 1 + (scene.draws.uniform(()) * np.float32(0.4 * max(0, length - 2))).astype(
            np.int64
        )
        result = samples.copy()
        for place, start in zip(result, starts.tolist(), strict=True):
            stop = min(length, start + max(1, round(level * length)))
            place[start:stop] = place[max(0, start - 1)]
        return result
