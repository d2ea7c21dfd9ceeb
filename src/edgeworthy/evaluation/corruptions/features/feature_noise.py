"""Noise on features."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.spectra import FeatureCorruption


class FeatureNoise(FeatureCorruption[float]):
    """Noise on every coefficient, as a noisy sound leaves it.

    Levels: standard deviation, relative to that of the coefficient.
    """

    name = "feature_noise"
    group = "noise"
    title = "Noise on features"
    source = "the spread of cepstra under additive noise: Openshaw and Mason, ICASSP 1994"
    levels = (0.1, 0.2, 0.4, 0.7, 1.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= np.float32(level) * scene.facts.std
        noise += samples
        return noise
