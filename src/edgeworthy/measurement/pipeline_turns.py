"""The pipelines of artefacts taking turns, once bare inference was measured.

Rules:

1. Decoders come into a process only after its memory was read: the figures of bare inference are
   those of a process that has never heard of them.
2. Artefacts take turns in an order that is drawn anew for each round; so is whether the pipeline or
   the bare inference beside it comes first.
3. The rounds of a start take about a third of the time that bare inference had, one at least.
4. Wrong answers of a pipeline make the measurement void, as wrong answers of bare inference do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.documents.measurement import PIPELINE_STAGES
from edgeworthy.measurement.golden import NOTHING_CHECKED
from edgeworthy.measurement.observations import PipelineObservation, PipelineTurn
from edgeworthy.measurement.starting import StartedProcess
from edgeworthy.measurement.turns import settle_count, turn_query_count
from edgeworthy.measurement.wire import (
    PipelineLatencies,
    PipelinePrepared,
    PreparePipeline,
    RunPipeline,
)

#: Of the time that bare inference had.
_SHARE = 1 / 3


def observe_pipelines(
    started: Mapping[int, StartedProcess],
    plans: Mapping[int, PipelinePlan],
    generator: np.random.Generator,
    *,
    bare_s: float,
    block_s: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[int, PipelineObservation]:
    """Give each pipeline its turns.

    Args:
        started: Warm processes by artefact, their bare turns over and their memory read.
        plans: The pipelines, by artefact.
        generator: Of the order.
        bare_s: Time that bare inference of all of them had.
        block_s: Time of one turn.
        monotonic: Seconds.

    Raises:
        DatasetError: A sample cannot be decoded, or does not fit.
        InferenceError: An engine failed, or its process ended.
        MeasurementError: A process fell silent, or gave wrong answers.
    """
    prepared = {
        index: started[index].tell(PreparePipeline(plan=plan), PipelinePrepared)
        for index, plan in plans.items()
    }
    turns: dict[int, list[PipelineTurn]] = {index: [] for index in plans}
    checked = dict.fromkeys(plans, NOTHING_CHECKED)
    positions = dict.fromkeys(plans, 0)
    end_s = monotonic() + bare_s * _SHARE
    while True:
        for index in generator.permutation(list(plans)).tolist():
            count = turn_query_count(prepared[index].latency_ns, block_s / 2)
            request = RunPipeline(
                first=positions[index],
                count=count,
                settle_count=settle_count(count),
                bare_first=bool(generator.integers(2)),
            )
            reply = started[index].tell(request, PipelineLatencies)
            checked[index] = checked[index].joined(started[index].refuse_wrong(reply))
            turns[index].append(_turn(reply))
            positions[index] += count
        if monotonic() >= end_s:
            break
    return {
        index: PipelineObservation(
            import_ns=prepared[index].import_ns,
            first_ns=prepared[index].stage_ns,
            turns=tuple(turns[index]),
            peak_memory_bytes=started[index].peak_memory_bytes(),
            checked=checked[index],
        )
        for index in plans
    }


def _turn(reply: PipelineLatencies) -> PipelineTurn:
    stages = np.frombuffer(reply.data, dtype="<i8").reshape(-1, len(PIPELINE_STAGES))
    return PipelineTurn(stages, np.frombuffer(reply.bare, dtype="<i8"))
