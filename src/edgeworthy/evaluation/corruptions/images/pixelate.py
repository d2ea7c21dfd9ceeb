"""Pixelation."""

from __future__ import annotations

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

    def apply_to_picture(self, picture: Image.Image, level: float) -> Image.Image:
        """See :meth:`edgeworthy.evaluation.corruptions.pixels.ByteImageCorruption`."""
        small = [max(1, round(side * level)) for side in picture.size]
        coarse = picture.resize((small[0], small[1]), Image.Resampling.BOX)
        return coarse.resize(picture.size, Image.Resampling.NEAREST)
