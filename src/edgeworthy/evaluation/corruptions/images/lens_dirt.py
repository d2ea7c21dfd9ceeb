"""Dirt on the lens."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption

_MOST_BLOBS = 16


class LensDirt(ImageCorruption[tuple[int, float]]):
    """Dust and drops close to the lens: soft dark blobs.

    Levels: number of blobs, and how much light each takes in its middle.
    """

    name = "lens_dirt"
    group = "camera"
    title = "Dirt on the lens"
    source = (
        "Willson et al., An optical model for image artifacts produced by dust particles on "
        "lenses, iSAIRAS 2005"
    )
    levels = ((3, 0.5), (5, 0.6), (8, 0.7), (12, 0.8), (16, 0.9))

    def apply(self, samples: Samples, level: tuple[int, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        count, taken = level
        height, width = samples.shape[1:3]
        # All blobs are drawn and some shown: a dirtier lens has the same blobs and more.
        blobs = scene.draws.uniform((_MOST_BLOBS, 3))[:, :count]
        rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
        radius = (np.float32(0.04) + blobs[..., 2] * np.float32(0.1)) * np.float32(
            min(height, width)
        )
        radius = np.maximum(radius, 1.0)[..., None]
        down = (rows - blobs[..., :1] * np.float32(height)) / radius
        across = (columns - blobs[..., 1:2] * np.float32(width)) / radius
        light = np.ones(samples.shape[:3], np.float32)
        for blob in range(count):
            shade = (
                np.exp(-(down[:, blob] ** 2))[:, :, None] * np.exp(-(across[:, blob] ** 2))[:, None]
            )
            light *= 1 - np.float32(taken) * shade
        return samples * light[..., None]
