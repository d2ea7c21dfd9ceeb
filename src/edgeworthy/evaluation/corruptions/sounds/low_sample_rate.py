"""Lower sample rate."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption


class LowSampleRate(SoundCorruption[float]):
    """Recorded at a lower rate and brought to the expected one: the high tones are missing.

    Levels: share of the sample rate.
    """

    name = "low_sample_rate"
    group = "recording"
    title = "Lower sample rate"
    source = "Nyquist: what lies above half the rate is lost"
    levels = (0.75, 0.5, 0.35, 0.25, 0.15)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        spectrum = np.fft.rfft(samples, axis=1)
        spectrum[:, max(1, round(spectrum.shape[1] * level)) :] = 0
        return np.fft.irfft(spectrum, n=samples.shape[1], axis=1).astype(np.float32)
