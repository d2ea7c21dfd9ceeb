"""How often and how much the sums of each node saturate, as a record."""

from __future__ import annotations

from collections.abc import Mapping

from edgeworthy.documents.prediction import NodeSaturation
from edgeworthy.optimization.emulation.products import Tally


def saturation_of(tallies: Mapping[str, Tally]) -> tuple[NodeSaturation, ...]:
    """Nodes that saturated, the largest mean shift first.

    Args:
        tallies: By node, of an emulator that has run.

    >>> found = saturation_of({"a": Tally(), "b": Tally(4, 1, 2, 1, lost_total=6, lost_most=6)})
    >>> [(each.node, each.pair_ratio, each.mean_shift_steps) for each in found]
    [('b', 0.25, 3.0)]
    """
    found = [
        NodeSaturation(
            node=node,
            pair_ratio=tally.saturated_count / tally.pair_count,
            output_ratio=tally.changed_count / tally.sum_count,
            mean_shift_steps=tally.lost_total / tally.sum_count,
            largest_shift_steps=tally.lost_most,
        )
        for node, tally in tallies.items()
        if tally.saturated_count
    ]
    return tuple(sorted(found, key=lambda each: (-each.mean_shift_steps, each.node)))
