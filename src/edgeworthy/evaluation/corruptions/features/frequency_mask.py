"""Frequency masking."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.spectra import FeatureCorruption, runs


class FrequencyMask(FeatureCorruption[float]):
    """Some coefficients side by side are lost and have their mean.

    Levels: share of the coefficients.
    """

    name = "frequency_mask"
    group = "masking"
    title = "Frequency masking"
    source = "SpecAugment: Park et al., Interspeech 2019 (arXiv 1904.08779)"
    levels = (0.1, 0.2, 0.3, 0.4, 0.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return np.where(
            runs(scene.draws, samples.shape[2], level)[:, None], scene.facts.mean, samples
        )
