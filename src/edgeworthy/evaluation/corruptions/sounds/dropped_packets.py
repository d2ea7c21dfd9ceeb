"""Dropped packets."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.corruptions.base import Samples, Scene, fewest
from edgeworthy.evaluation.corruptions.waves import SoundCorruption


class DroppedPackets(SoundCorruption[float]):
    """Packets of 20 ms that were lost are silent.

    Levels: share of the packets.
    """

    name = "dropped_packets"
    group = "recording"
    title = "Dropped packets"
    source = "RFC 3551: 20 ms is the usual packet of audio"
    levels = (0.05, 0.1, 0.2, 0.3, 0.45)

    def apply(self, samples: Samples, level: float, scene: Scene) -> Samples:
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        length = samples.shape[1]
        packet = max(1, min(scene.facts.sample_rate_hz // 50, length // 4))
        lost = fewest(scene.draws.uniform((-(-length // packet),)), level)
        silent = np.repeat(lost, packet, axis=1)[:, :length]
        return samples * ~silent[..., None]
