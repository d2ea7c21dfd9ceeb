"""Clipping."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.waves import SoundCorruption


class Clipping(SoundCorruption[float]):
    """A microphone that is overdriven: what is louder than a limit is cut.

    Levels: limit as a share of the loudest value.
    """

    name = "clipping"
    group = "recording"
    title = "Clipping"
    source = "Kitic et al., Sparsity and cosparsity for audio declipping, LVA/ICA 2015"
    levels = (0.5, 0.3, 0.2, 0.1, 0.05)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        limit = np.max(np.abs(samples), axis=(1, 2), keepdims=True) * np.float32(level)
        return np.clip(samples, -limit, limit)
