"""Defocus."""

from __future__ import annotations

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, disk_blurred, sized


class DefocusBlur(ImageCorruption[tuple[float, float]]):
    """A lens that is out of focus spreads every point over a disk.

    Levels: radius in pixels, for pictures of 8 and of 224 pixels.
    """

    name = "defocus_blur"
    group = "blur"
    title = "Defocus"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = ((0.6, 3.0), (0.8, 4.0), (1.0, 6.0), (1.2, 8.0), (1.5, 10.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return disk_blurred(samples, sized(samples, *level))
