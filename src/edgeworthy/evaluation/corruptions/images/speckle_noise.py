"""Speckle noise."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Facts, Samples
from edgeworthy.evaluation.corruptions.draws import Draws
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class SpeckleNoise(ImageCorruption[float]):
    """Noise that grows with the brightness, as of coherent light and radar.

    Levels: standard deviation relative to the pixel.
    """

    name = "speckle_noise"
    group = "noise"
    title = "Speckle noise"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.15, 0.2, 0.35, 0.45, 0.6)

    def apply(
        self,
        samples: Samples,
        level: float,
        draws: Draws,
        facts: Facts,  # noqa: ARG002 - of those that need it
    ) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        noise = draws.normal(samples.shape[1:])
        noise *= np.float32(level)
        noise += np.float32(1)
        noise *= samples
        return noise
