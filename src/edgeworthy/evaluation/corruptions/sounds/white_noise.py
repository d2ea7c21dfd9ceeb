"""White noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption, rms_of


class WhiteNoise(SoundCorruption[float]):
    """Even noise of electronics.

    Levels: signal-to-noise ratio in dB.
    """

    name = "white_noise"
    group = "noise"
    title = "White noise"
    source = "MUSAN (arXiv 1510.08484) and the usual test conditions of speech recognition"
    levels = (20.0, 15.0, 10.0, 5.0, 0.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = scene.draws.normal(samples.shape[1:])
        noise *= rms_of(samples, scene.facts) * np.float32(10 ** (-level / 20))
        noise += samples
        return noise
