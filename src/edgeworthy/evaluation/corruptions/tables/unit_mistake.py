"""Unit mistakes."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.columns import TableCorruption


class UnitMistake(TableCorruption[float]):
    """One column of a row in another unit.

    Levels: factor between the units: yards and meters, miles and kilometers, inches and
    centimeters, a factor of ten, of a thousand.
    """

    name = "unit_mistake"
    group = "entry"
    title = "Unit mistakes"
    source = "NIST special publication 811, appendix B"
    levels = (1.0936, 1.6093, 2.54, 10.0, 1000.0)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        columns = scene.draws.integers(0, samples.shape[1] - 1, ())
        result = samples.copy()
        result[np.arange(len(result)), columns] *= np.float32(level)
        return result
