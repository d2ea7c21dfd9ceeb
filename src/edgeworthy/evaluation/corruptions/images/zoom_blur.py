"""Zoom blur."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption

_STEPS = 8


class ZoomBlur(ImageCorruption[float]):
    """The camera moves towards the object while the shutter is open.

    Levels: largest magnification.
    """

    name = "zoom_blur"
    group = "blur"
    title = "Zoom blur"
    source = "Hendrycks and Dietterich, ICLR 2019 (arXiv 1903.12261)"
    levels = (1.1, 1.16, 1.22, 1.28, 1.36)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        total = samples.copy()
        for zoom in np.linspace(1.0, level, _STEPS + 1)[1:]:
            total += _zoomed(samples, float(zoom))
        total /= np.float32(_STEPS + 1)
        return total


def _zoomed(images: Samples, zoom: float) -> Samples:
    """Magnified around the middle, between neighboring pixels."""
    for axis in (1, 2):
        size = images.shape[axis]
        position = (np.arange(size) - (size - 1) / 2) / zoom + (size - 1) / 2
        first = np.clip(np.floor(position).astype(np.int64), 0, max(0, size - 2))
        shape = [1, 1, 1, 1]
        shape[axis] = size
        share = (position - first).astype(np.float32).reshape(shape)
        left = np.take(images, first, axis=axis)
        right = np.take(images, np.minimum(first + 1, size - 1), axis=axis)
        right -= left
        right *= share
        right += left
        images = right
    return images
