"""Time masking."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.spectra import FeatureCorruption, runs


class TimeMask(FeatureCorruption[float]):
    """A stretch of time is lost and has the mean of each coefficient.

    Levels: share of the time.
    """

    name = "time_mask"
    group = "masking"
    title = "Time masking"
    source = "SpecAugment: Park et al., Interspeech 2019 (arXiv 1904.08779)"
    levels = (0.06, 0.12, 0.2, 0.3, 0.45)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return np.where(
            runs(scene.draws, samples.shape[1], level)[:, :, None], scene.facts.mean, samples
        )
