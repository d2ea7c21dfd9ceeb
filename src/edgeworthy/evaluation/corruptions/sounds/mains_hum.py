"""Mains hum."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption, rms_of

_HALF = 0.5
_OVERTONES = 5


class MainsHum(SoundCorruption[float]):
    """The power line and its overtones, 50 or 60 Hz.

    Levels: signal-to-noise ratio in dB.
    """

    name = "mains_hum"
    group = "noise"
    title = "Mains hum"
    source = "EN 50160: mains frequency; overtones fall off as their number"
    levels = (20.0, 15.0, 10.0, 5.0, 0.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        base = np.where(scene.draws.uniform(()) < _HALF, np.float32(50), np.float32(60))[:, None]
        phases = scene.draws.uniform((_OVERTONES,)) * np.float32(2 * math.pi)
        time = np.arange(samples.shape[1], dtype=np.float32) / np.float32(
            scene.facts.sample_rate_hz
        )
        hum = np.zeros(samples.shape[:2], np.float32)
        for number in range(1, _OVERTONES + 1):
            turn = np.float32(2 * math.pi * number) * base * time + phases[:, number - 1 : number]
            hum += np.sin(turn) / np.float32(number)
        power = np.sqrt(np.mean(hum**2, axis=1, keepdims=True)) + np.float32(1e-12)
        loud = rms_of(samples, scene.facts) * np.float32(10 ** (-level / 20))
        result: Samples = samples + (hum / power)[..., None] * loud
        return result
