"""Frosted glass."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, gaussian_blurred, sized

_SIGMA = 0.6


class GlassBlur(ImageCorruption[tuple[float, float]]):
    """Neighboring pixels change places, as behind frosted glass.

    Levels: how far pixels move, for pictures of 8 and of 224 pixels.
    """

    name = "glass_blur"
    group = "blur"
    title = "Frosted glass"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = ((0.5, 1.0), (0.8, 1.6), (1.2, 2.4), (1.7, 3.4), (2.4, 4.8))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        reach = sized(samples, *level)
        size = samples.shape[1:3]
        aside = scene.draws.uniform((2, *size))
        aside -= np.float32(0.5)
        aside *= np.float32(2 * reach + 1)
        np.rint(aside, out=aside)
        height, width = size
        rows = np.clip(np.arange(height)[:, None] + aside[:, 0].astype(np.int32), 0, height - 1)
        columns = np.clip(np.arange(width) + aside[:, 1].astype(np.int32), 0, width - 1)
        places = rows * width + columns
        moved = np.empty_like(samples)
        for image, place, target in zip(samples, places, moved, strict=True):
            np.take(image.reshape(height * width, -1), place, axis=0, out=target)
        return gaussian_blurred(moved, _SIGMA)
