"""Baseline wander."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.signals import SeriesCorruption


class BaselineWander(SeriesCorruption[float]):
    """A slow wave under the signal, as of breathing or of a loose electrode.

    Levels: its height, relative to the standard deviation of the channel.
    """

    name = "baseline_wander"
    group = "sensor"
    title = "Baseline wander"
    source = "Moody, Muldrow and Mark, A noise stress test for arrhythmia detectors, 1984"
    levels = (0.3, 0.6, 1.0, 1.6, 2.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        time = np.linspace(0, 1, samples.shape[1], dtype=np.float32)
        cycles = np.float32(0.5) + scene.draws.uniform(())[:, None]
        phase = scene.draws.uniform(())[:, None] * np.float32(2 * math.pi)
        wave = np.sin(np.float32(2 * math.pi) * cycles * time + phase)[..., None]
        result: Samples = samples + wave * (np.float32(level) * scene.facts.std)
        return result
