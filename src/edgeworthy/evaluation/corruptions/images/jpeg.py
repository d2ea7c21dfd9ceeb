"""JPEG artifacts."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
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

    def apply_to_picture(self, pixels: NDArray[np.uint8], level: int) -> NDArray[np.uint8]:
        """See :meth:`edgeworthy.evaluation.corruptions.pixels.ByteImageCorruption`."""
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=level)
        stream.seek(0)
        with Image.open(stream, formats=("JPEG",)) as image:
            return np.asarray(image)
