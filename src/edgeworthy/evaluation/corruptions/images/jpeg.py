"""JPEG artifacts."""

from __future__ import annotations

from PIL import Image

from edgeworthy.evaluation.corruptions.pixels import ByteImageCorruption


class Jpeg(ByteImageCorruption[int]):
    """Compression for a thin uplink.

    Levels: JPEG quality.
    """

    name = "jpeg"
    group = "digital"
    title = "JPEG artifacts"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (25, 18, 15, 10, 7)

    def apply_to_picture(self, picture: Image.Image, level: int) -> Image.Image:
        """See :meth:`edgeworthy.evaluation.corruptions.pixels.ByteImageCorruption`."""
        # The coders without a file around them: no header is parsed, and one picture serves twice.
        mode = picture.mode
        picture.frombytes(picture.tobytes("jpeg", mode, level), "jpeg", mode, "")
        return picture
