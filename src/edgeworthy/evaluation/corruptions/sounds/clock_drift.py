"""Clock drift."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption, delayed


class ClockDrift(SoundCorruption[float]):
    """The converter's clock is too fast or too slow: pitch and tempo change together.

    Levels: relative error of the clock, far beyond that of a sound crystal.
    """

    name = "clock_drift"
    group = "recording"
    title = "Clock drift"
    source = "data sheets of microcontrollers: resonators err by 0.5 %, RC clocks by several"
    levels = (0.005, 0.01, 0.02, 0.05, 0.1)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return delayed(samples, 1 + scene.draws.signs(()) * np.float32(level))
