"""Rain."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import (
    ImageCorruption,
    line_blurred,
    line_steps,
    sized,
)


class Rain(ImageCorruption[tuple[float, float]]):
    """Bright streaks that fall at a slant, in air that is darker.

    Levels: share of pixels that a drop begins in, and the light that is lost.
    """

    name = "rain"
    group = "weather"
    title = "Rain"
    source = (
        "Garg and Nayar, Vision and rain, IJCV 75 (2007): a drop is a bright streak along its fall"
    )
    levels = ((0.005, 0.1), (0.01, 0.15), (0.02, 0.2), (0.03, 0.3), (0.045, 0.4))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        share, dark = level
        seeds = scene.draws.uniform(samples.shape[1:3])
        drops = np.where(seeds < np.float32(share), np.float32(1), np.float32(0))[..., None]
        angles = np.float32(math.pi / 2) + (scene.draws.uniform(()) - np.float32(0.5)) * np.float32(
            0.6
        )
        steps, count = line_steps(angles, max(1.0, sized(samples, 1.0, 14.0)))
        streaks = line_blurred(drops, steps, np.full(count, 1 / count, np.float32))
        streaks = np.minimum(streaks * np.float32(count), 1) * np.float32(0.6)
        darker = samples * np.float32(1 - dark)
        result: Samples = darker + (np.float32(0.9) - darker) * streaks
        return result
