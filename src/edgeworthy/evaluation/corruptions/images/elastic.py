"""Elastic distortion."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption, sized, smooth_field, warped


class Elastic(ImageCorruption[tuple[float, float]]):
    """The picture is stretched here and squeezed there.

    Levels: largest shift in pixels, for pictures of 8 and of 224 pixels.
    """

    name = "elastic"
    group = "digital"
    moves_content = True
    title = "Elastic distortion"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261); Simard et al., ICDAR 2003"
    levels = ((0.5, 4.0), (0.8, 6.0), (1.1, 9.0), (1.4, 12.0), (1.8, 16.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        size = samples.shape[1:3]
        cells = max(2, round(sized(samples, 2, 8)))
        shift = np.float32(2 * sized(samples, *level))
        down, across = (
            (smooth_field(scene.draws, size, cells) - np.float32(0.5)) * shift for _ in range(2)
        )
        return warped(samples, down, across)
