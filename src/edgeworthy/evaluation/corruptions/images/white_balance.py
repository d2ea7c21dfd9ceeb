"""White balance."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class WhiteBalance(ImageCorruption[float]):
    """The color of the light is guessed wrongly, too warm or too cold; for pictures in color only.

    Levels: how much one end of the spectrum gains and the other loses.
    """

    name = "white_balance"
    group = "camera"
    title = "White balance"
    source = (
        "von Kries, Beitrag zur Physiologie der Gesichtsempfindung, 1878: one factor per channel"
    )
    least_channels = 3
    levels = (0.1, 0.2, 0.3, 0.45, 0.6)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        warmth = scene.draws.signs(()) * np.float32(level)
        gains = np.ones((len(samples), 1, 1, samples.shape[-1]), np.float32)
        gains[:, 0, 0, 0] += warmth
        gains[:, 0, 0, -1] -= warmth
        return samples * gains
