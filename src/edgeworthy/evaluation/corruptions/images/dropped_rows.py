"""Dropped rows."""

from __future__ import annotations

from edgeworthy.evaluation.corruptions.base import Samples, Scene, fewest
from edgeworthy.evaluation.corruptions.pixels import ImageCorruption


class DroppedRows(ImageCorruption[float]):
    """Rows that the link to the sensor lost come as black.

    Levels: share of the rows.
    """

    name = "dropped_rows"
    group = "camera"
    title = "Dropped rows"
    source = "MIPI CSI-2 sends a row as one packet; a damaged packet is dropped"
    levels = (0.05, 0.1, 0.2, 0.3, 0.45)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        lost = fewest(scene.draws.uniform((samples.shape[1],)), level)
        return samples * ~lost[:, :, None, None]
