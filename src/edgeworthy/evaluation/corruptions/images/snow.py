"""Snow."""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import (
    ImageCorruption,
    line_blurred,
    line_steps,
    luminance,
    sized,
)


class Snow(ImageCorruption[tuple[float, float]]):
    """Flakes that fall through the picture, in air that is whitened by them.

    Levels: share of pixels that a flake begins in, and how far the picture is whitened.
    """

    name = "snow"
    group = "weather"
    title = "Snow"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = ((0.01, 0.15), (0.02, 0.25), (0.035, 0.3), (0.05, 0.4), (0.07, 0.5))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        share, white = level
        seeds = scene.draws.uniform(samples.shape[1:3])
        flakes = np.where(seeds < np.float32(share), np.float32(1), np.float32(0))[..., None]
        angles = scene.draws.uniform(()) * np.float32(math.pi / 3) + np.float32(math.pi / 3)
        reach = max(1.0, sized(samples, 0.5, 5.0))
        steps, count = line_steps(angles, reach)
        fallen = line_blurred(flakes, steps, np.full(count, 1 / count, np.float32))
        fallen *= np.float32(count * 0.85)
        paler = np.maximum(samples, luminance(samples) * np.float32(0.6) + np.float32(0.4))
        whitened = samples + (paler - samples) * np.float32(white)
        result: Samples = np.maximum(whitened, whitened + fallen * (1 - whitened))
        return result
