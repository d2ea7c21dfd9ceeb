"""Rolling shutter."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, warped


class RollingShutter(ImageCorruption[float]):
    """Rows are read one after the other while the camera moves and shakes.

    Levels: shift between the first and the last row, as a share of the width.
    """

    name = "rolling_shutter"
    group = "camera"
    moves_content = True
    title = "Rolling shutter"
    source = (
        "Liang, Chang and Chen, Analysis and compensation of rolling shutter effect, "
        "IEEE TIP 17 (2008)"
    )
    levels = (0.06, 0.12, 0.2, 0.3, 0.4)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        height, width = samples.shape[1:3]
        time = np.linspace(-0.5, 0.5, height, dtype=np.float32)
        direction, phase = scene.draws.signs(())[:, None], scene.draws.uniform(())[:, None]
        shake = np.sin(2 * np.float32(math.pi) * (2 * time + phase)) * np.float32(0.1)
        across = (direction * time + shake) * np.float32(level * width)
        shift = np.broadcast_to(across[:, :, None], samples.shape[:3])
        return warped(samples, np.zeros(samples.shape[:3], np.float32), shift)
