"""Images of any size made to fit a model.

Rules:

1. Resizing is Pillow's: the filter widens when an image shrinks, and 8-bit images stay 8-bit, as
   in the usual training pipelines. Other dtypes are resized in float32, channel by channel.
2. The aspect ratio is not kept: the whole image becomes the whole input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.documents.project import Resize

_FILTERS: dict[Resize, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def resized(images: NDArray[Any], *, height: int, width: int, resize: Resize) -> NDArray[Any]:
    """Images of one size, made another size.

    Args:
        images: ``(n, height, width, channels)``.
        height: Wanted rows.
        width: Wanted columns.
        resize: The filter.

    Returns:
        ``(n, height, width, channels)``; uint8 stays uint8, all else becomes float32.
    """
    if images.shape[1:3] == (height, width) or resize == "none":
        return images
    dtype = np.uint8 if images.dtype == np.uint8 else np.float32
    result = np.empty((len(images), height, width, images.shape[3]), dtype=dtype)
    for index, image in enumerate(images.astype(dtype)):
        for channel in range(image.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, channel]))
            result[index, :, :, channel] = plane.resize((width, height), _FILTERS[resize])
    return result
