"""Time shift."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.spectra import FeatureCorruption, shifted


class TimeShift(FeatureCorruption[float]):
    """The sound begins earlier or later; the border repeats.

    Levels: share of the time.
    """

    name = "time_shift"
    group = "masking"
    title = "Time shift"
    source = "the beginning of a word is found too early or too late: arXiv 1804.03209"
    levels = (0.05, 0.1, 0.15, 0.22, 0.3)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        steps = scene.draws.signs(()) * np.float32(max(1, round(level * samples.shape[1])))
        return shifted(samples, steps.astype(np.int64))
