"""What starts of processes showed, before anybody makes figures of it.

Rule: latencies stay apart by turn, and turns by start, because only starts are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.measurement.golden import NOTHING_CHECKED, Checked


@dataclass(frozen=True)
class PipelineTurn:
    """One turn.

    Attributes:
        stage_ns: ``(queries, 4)``: time of each stage.
        bare_ns: ``(queries,)``: latencies of the bare inference beside it.
    """

    stage_ns: NDArray[np.int64]
    bare_ns: NDArray[np.int64]


@dataclass(frozen=True)
class PipelineObservation:
    """What one start of one artefact showed.

    Attributes:
        import_ns: Time to import the decoders.
        first_ns: Time of each stage of the first query.
        turns: One per round.
        peak_memory_bytes: At the end.
        checked: What checking the pipeline's answers found.
    """

    import_ns: int
    first_ns: tuple[int, ...]
    turns: tuple[PipelineTurn, ...]
    peak_memory_bytes: int
    checked: Checked


@dataclass(frozen=True)
class LaunchObservation:
    """What one start of one artefact showed.

    Attributes:
        runtime_version: Engine and version.
        runtime_memory_bytes: Before the artefact was loaded.
        load_ns: From the file to a session.
        first_inference_ns: The first query.
        stationary: Whether the warm-up reached its end before its limit.
        peak_memory_bytes: At the end.
        turns: Latencies in nanoseconds, one array per round.
        steady_memory_bytes: Resident after the last query; 0 where nobody tells.
        affinity: Logical processors that the process could run on.
        checked: What checking its timed answers found.
        import_ns: Time to import the engine; 0 when nobody looked.
        pipeline: What its pipeline showed; absent when there was none.
        arena_bytes: Size of the engine's memory arena; absent where it was not asked for or told.
    """

    runtime_version: str
    runtime_memory_bytes: int
    load_ns: int
    first_inference_ns: int
    stationary: bool
    peak_memory_bytes: int
    turns: tuple[NDArray[np.int64], ...]
    steady_memory_bytes: int = 0
    affinity: tuple[int, ...] = ()
    checked: Checked = NOTHING_CHECKED
    import_ns: int = 0
    pipeline: PipelineObservation | None = None
    arena_bytes: int | None = None
