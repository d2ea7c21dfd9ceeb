"""Pixelation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.evaluation.corruptions.pixels import ByteImageCorruption


class Pixelate(ByteImageCorruption[float]):
    """The picture was stored with fewer pixels.

    Levels: share of the pixels of a side that is left.
    """

    name = "pixelate"
    group = "digital"
    title = "Pixelation"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.6, 0.5, 0.4, 0.3, 0.25)

    def apply_to_picture(self, pixels: NDArray[np.uint8], level: float) -> NDArray[np.uint8]:
        """See :meth:`edgeworthy.evaluation.corruptions.pixels.ByteImageCorruption`."""
        height, width = pixels.shape[:2]
        small = (max(1, round(width * level)), max(1, round(height * level)))
        coarse = Image.fromarray(pixels).resize(small, Image.Resampling.BOX)
        return np.asarray(coarse.resize((width, height), Image.Resampling.NEAREST))
