"""Motion blur."""

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


class MotionBlur(ImageCorruption[tuple[float, float]]):
    """Camera or object move while the shutter is open, in a random direction.

    Levels: half the length of the path in pixels, for pictures of 8 and of 224 pixels.
    """

    name = "motion_blur"
    group = "blur"
    title = "Motion blur"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = ((0.6, 6.0), (1.0, 9.0), (1.4, 12.0), (1.8, 16.0), (2.4, 20.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        angles = scene.draws.uniform(()) * np.float32(math.pi)
        steps, count = line_steps(angles, max(1.0, sized(samples, *level)))
        along = np.linspace(-1.0, 1.0, count)
        weights = np.exp(-0.5 * (along * min(1.6, 1.6 / sized(samples, *level))) ** 2)
        return line_blurred(samples, steps, (weights / weights.sum()).astype(np.float32))
