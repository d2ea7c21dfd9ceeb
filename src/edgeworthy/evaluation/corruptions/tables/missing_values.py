"""Missing values."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene
from edgeworthy.evaluation.corruptions.columns import TableCorruption


class MissingValues(TableCorruption[float]):
    """Cells that were empty and filled with the mean of their column.

    Levels: share of the cells.
    """

    name = "missing_values"
    group = "entry"
    title = "Missing values"
    source = "Little and Rubin, Statistical analysis with missing data, 3rd ed."
    levels = (0.05, 0.1, 0.2, 0.35, 0.5)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        lost = scene.draws.uniform(samples.shape[1:]) < np.float32(level)
        return np.where(lost, scene.facts.mean, samples)
