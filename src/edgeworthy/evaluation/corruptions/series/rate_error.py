"""Sample rate error."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption, delayed


class RateError(SeriesCorruption[float]):
    """Recorded faster or slower than the model was trained for.

    Levels: relative error of the rate.
    """

    name = "rate_error"
    group = "sensor"
    title = "Sample rate error"
    source = "Stisen et al., Smart devices are different, SenSys 2015: the rates of phones differ"
    levels = (0.03, 0.06, 0.12, 0.2, 0.3)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return delayed(samples, 1 + scene.draws.signs(()) * np.float32(level))
