"""Reverberation."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption


class Reverberation(SoundCorruption[tuple[float, float]]):
    """A room that answers: sound with a tail of decaying noise, as loud as before.

    Levels: seconds until the tail has fallen by 60 dB, and its loudness against the direct
    sound.
    """

    name = "reverberation"
    group = "room"
    title = "Reverberation"
    source = "Polack's model of late reverberation, in Vorlaender, Auralization, 2008"
    levels = ((0.2, 0.4), (0.4, 0.7), (0.6, 1.0), (0.9, 1.4), (1.3, 2.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        seconds, loudness = level
        length = samples.shape[1]
        time = np.arange(length, dtype=np.float32) / np.float32(scene.facts.sample_rate_hz)
        tail = scene.draws.normal((length,)) * np.exp(-np.float32(math.log(1000) / seconds) * time)
        tail[:, 0] = 0.0
        tail *= np.float32(loudness) / (
            np.sqrt(np.sum(tail**2, axis=1, keepdims=True)) + np.float32(1e-12)
        )
        tail[:, 0] = 1.0
        size = 2 * length
        product = np.fft.rfft(samples, size, axis=1) * np.fft.rfft(tail, size, axis=1)[..., None]
        wet = np.fft.irfft(product, size, axis=1)[:, :length].astype(np.float32)
        before, after = (
            np.sqrt(np.mean(each**2, axis=(1, 2), keepdims=True)) for each in (samples, wet)
        )
        result: Samples = wet * (before / (after + np.float32(1e-12)))
        return result
