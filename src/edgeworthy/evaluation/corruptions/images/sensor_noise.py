"""Sensor noise by gain and heat."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption

_FULL_WELL = 6000.0
_DARK_AT_25 = 5.0
_DOUBLING_DEGREES = 8.0
_READ_NOISE = 3.0
_HOT_SHARE = 2e-4
_HOT_TIMES = 10.0


class SensorNoise(ImageCorruption[tuple[float, float]]):
    """Noise of light, dark current and read-out, and hot pixels, as an image sensor has them.

    Levels: gain, and temperature in degrees Celsius. A sensor of 6,000 electrons full well, 3
    electrons of read noise and 5 electrons of dark current per exposure at 25 degrees, which
    doubles every 8 degrees.
    """

    name = "sensor_noise"
    group = "camera"
    title = "Sensor noise by gain and heat"
    source = "EMVA standard 1288, release 4.0: the linear camera model"
    levels = ((2.0, 35.0), (6.0, 45.0), (12.0, 55.0), (20.0, 65.0), (30.0, 75.0))

    def apply(self, samples: Samples, level: tuple[float, float], scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        gain, degrees = level
        white = _FULL_WELL / gain
        dark = _DARK_AT_25 * 2.0 ** ((degrees - 25.0) / _DOUBLING_DEGREES)
        spread = np.sqrt(samples * np.float32(white) + np.float32(dark + _READ_NOISE**2))
        noise = scene.draws.normal(samples.shape[1:])
        noise *= spread
        noise /= np.float32(white)
        noise += samples
        # Hot pixels leak many times the mean dark current, and stay hot when it gets hotter.
        hot = scene.draws.uniform(samples.shape[1:3])[..., None] < np.float32(
            _HOT_SHARE * dark / _DARK_AT_25
        )
        noise += hot * np.float32(_HOT_TIMES * dark / white)
        return noise
