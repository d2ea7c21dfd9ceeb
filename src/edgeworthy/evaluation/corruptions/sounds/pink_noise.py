"""Pink noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption, rms_of


class PinkNoise(SoundCorruption[float]):
    """Noise with as much power in each octave, as of wind, traffic and crowds.

    Levels: signal-to-noise ratio in dB.
    """

    name = "pink_noise"
    group = "noise"
    title = "Pink noise"
    source = "MUSAN (arXiv 1510.08484) and the usual test conditions of speech recognition"
    levels = (20.0, 15.0, 10.0, 5.0, 0.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        spectrum = np.fft.rfft(scene.draws.normal(samples.shape[1:]), axis=1)
        shape = 1 / np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 1)).astype(np.float32)
        noise = np.fft.irfft(spectrum * shape[:, None], n=samples.shape[1], axis=1).astype(
            np.float32
        )
        power = np.sqrt(np.mean(noise**2, axis=(1, 2), keepdims=True)) + np.float32(1e-12)
        loud = rms_of(samples, scene.facts) * np.float32(10 ** (-level / 20))
        result: Samples = samples + noise / power * loud
        return result
