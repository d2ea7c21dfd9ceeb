"""Channels are rescaled between layers before anything is rounded.

Rules:

1. What the float graph computes stays the same, and the record says how far the outputs moved.
2. Equalization was asked for, so having nothing to equalize is an error; balancing is done where it
   can be.
"""

from __future__ import annotations

from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.calibration import first_runs, in_runs
from edgeworthy.optimization.quantization import (
    balance,
    equalize,
    make_plan,
    observe_channels,
    observe_peaks,
    pairs_of,
    streams_of,
)
from edgeworthy.optimization.workbench import Calibration, Workbench

#: Samples on which the channels of streams are looked at.
_CHANNEL_SAMPLES = 16


def equalize_channels(work: Workbench, calibration: Calibration) -> None:
    """Raise channels between a convolution and a depthwise one.

    Raises:
        OptimizationError: There are no such channels.
        InferenceError: The engine cannot run the graph.
    """
    plan = make_plan(work.model)
    pairs = pairs_of(work.model, plan)
    if not pairs:
        raise OptimizationError(
            "no convolution feeds a depthwise one, so no channels can be raised",
            next_step="Leave `equalization` out of this recipe",
        )
    tensors = [pair.tensor for pair in pairs]
    peaks = observe_peaks(work.model, pairs, in_runs(work.model, calibration(), tensors))
    work.model, factors = equalize(work.model, pairs, peaks)
    most = max((float(each.max()) for each in factors.values()), default=1.0)
    work.note(
        "equalize",
        f"channels of {len(factors)} tensors raised, by a factor of {most:.3g} at most",
        changed=bool(factors),
    )


def balance_channels(work: Workbench, calibration: Calibration) -> None:
    """Bring the channels of streams nearer to each other.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    streams = streams_of(work.model, make_plan(work.model))
    if not streams:
        work.note("balance", "no tensors that only convolutions make and read")
        return
    tensors = [name for stream in streams for name in stream.tensors]
    runs = first_runs(work.model, calibration(), tensors, limit=_CHANNEL_SAMPLES)
    sights = observe_channels(work.model, streams, runs)
    before = work.model
    work.model, factors = balance(before, streams, sights)
    if not factors:
        work.note("balance", f"channels of {len(streams)} streams are even enough")
        return
    difference = work.proof.compare(before, work.model).largest_difference
    work.note(
        "balance",
        f"channels of {len(factors)} of {len(streams)} streams raised, by a factor of "
        f"{max(float(each.max()) for each in factors.values()):.3g} at most; largest difference "
        f"{difference:.1e}",
        changed=True,
    )
