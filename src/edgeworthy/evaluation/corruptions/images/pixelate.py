"""Pixelation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.evaluation.corruptions.pixels import ByteImageCorruption

_COLOR = 3


class Pixelate(ByteImageCorruption[float]):
    """The picture was stored with fewer pixels.

    Levels: share of the pixels of a side that is left.
    """

    name = "pixelate"
    group = "digital"
    title = "Pixelation"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (0.6, 0.5, 0.4, 0.3, 0.25)

    def apply_to_bytes(self, images: NDArray[np.uint8], level: float) -> NDArray[np.uint8]:
        """See :meth:`edgeworthy.evaluation.corruptions.pixels.ByteImageCorruption`."""
        stored = np.empty_like(images)
        for image, place in zip(images, stored, strict=True):
            if image.shape[-1] == _COLOR:
                place[...] = _coarse(image, level)
            else:
                for channel in range(image.shape[-1]):
                    place[..., channel] = _coarse(np.ascontiguousarray(image[..., channel]), level)
        return stored


def _coarse(pixels: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    small = (max(1, round(width * share)), max(1, round(height * share)))
    coarse = Image.fromarray(pixels).resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.NEAREST))
