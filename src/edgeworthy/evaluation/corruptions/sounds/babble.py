"""Babble."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption, rms_of

_VOICES = 5


class Babble(SoundCorruption[float]):
    """Other sounds of the same set, several at once, each begun elsewhere.

    Levels: signal-to-noise ratio in dB.
    """

    name = "babble"
    group = "noise"
    title = "Babble"
    source = "MUSAN (arXiv 1510.08484) and the usual test conditions of speech recognition"
    levels = (20.0, 15.0, 10.0, 5.0, 0.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        length = samples.shape[1]
        voices = scene.draws.integers(0, len(scene.facts.pool) - 1, (_VOICES,))
        starts = scene.draws.integers(0, length - 1, (_VOICES,))
        babble = np.zeros_like(samples)
        for place, chosen, shifts in zip(babble, voices.tolist(), starts.tolist(), strict=True):
            for voice, shift in zip(chosen, shifts, strict=True):
                np.add(place, np.roll(scene.facts.pool[voice], shift, axis=0), out=place)
        power = np.sqrt(np.mean(babble**2, axis=(1, 2), keepdims=True)) + np.float32(1e-12)
        loud = rms_of(samples, scene.facts) * np.float32(10 ** (-level / 20))
        result: Samples = samples + babble / power * loud
        return result
