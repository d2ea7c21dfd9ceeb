"""Gaussian blur."""

from __future__ import annotations

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, gaussian_blurred, sized


class GaussianBlur(ImageCorruption[tuple[float, float]]):
    """A soft lens, or a picture that was scaled down and up again.

    Levels: standard deviation in pixels, for pictures of 8 and of 224 pixels.
    """

    name = "gaussian_blur"
    group = "blur"
    title = "Gaussian blur"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = ((0.4, 1.0), (0.6, 2.0), (0.8, 3.0), (1.0, 4.0), (1.3, 6.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return gaussian_blurred(samples, sized(samples, *level))
