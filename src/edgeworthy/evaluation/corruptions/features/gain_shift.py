"""Gain shift."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.spectra import FeatureCorruption

_STANDS_OUT = 3.0


class GainShift(FeatureCorruption[float]):
    """A louder or softer recording.

    A constant on all log energies, or on the first cepstral coefficient alone, which holds the
    energy, where its spread stands out.

    Levels: shift, relative to the standard deviation of the coefficients that move.
    """

    name = "gain_shift"
    group = "gain"
    title = "Gain shift"
    source = "log(g E) = log g + log E; its cosine transform moves the first coefficient alone"
    levels = (0.25, 0.5, 1.0, 1.5, 2.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        moved = scene.facts.std.copy()
        if moved[0] > _STANDS_OUT * np.median(moved):
            moved[1:] = 0.0
        return samples + (scene.draws.signs(()) * np.float32(level))[:, None, None] * moved
