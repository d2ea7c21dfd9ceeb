"""What corruptions of spectrograms and cepstra are built from: ``(n, time, coefficients)``.

The sound itself is not there any more, so that noise at a signal-to-noise ratio or a room cannot be
added. What stands here is what such things do to features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.corruptions.base import Corruption, LevelT, Samples
from edgeworthy.evaluation.corruptions.draws import Draws

_LARGEST_SHARE = 0.5


class FeatureCorruption(Corruption[LevelT]):
    """A corruption of features of sound: ``(n, time, coefficients)``."""

    kind = "features"


def runs(draws: Draws, length: int, share: float) -> NDArray[np.bool_]:
    """``(n, length)``: one run per sample; a longer one holds the shorter."""
    run = max(1, round(share * length))
    most = max(1, round(_LARGEST_SHARE * length))
    starts = (draws.uniform(()) * np.float32(max(1, length - most + 1))).astype(np.int64)[:, None]
    places = np.arange(length)
    return np.asarray((places >= starts) & (places < starts + run))


def shifted(samples: Samples, steps: NDArray[np.int64]) -> Samples:
    """Each sample moved along the time; the border repeats."""
    length = samples.shape[1]
    places = np.clip(np.arange(length) - steps[:, None], 0, length - 1)
    return np.take_along_axis(samples, places[:, :, None], axis=1)
