"""From the turns of a pipeline to its figures.

Rules:

1. The starts are the independent observations, as for bare inference.
2. The ratio of inference inside of the pipeline to bare inference is taken turn by turn, then over
   the turns of a start, then over the starts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import PIPELINE_STAGES, PipelineTimes, StageTime
from edgeworthy.errors import MeasurementError
from edgeworthy.measurement.estimates import over_launches, percentiles_of, quantiles_of
from edgeworthy.measurement.observations import LaunchObservation, PipelineObservation
from edgeworthy.measurement.plan import RATIO_CONFIDENCE, MeasurementSettings
from edgeworthy.statistics.order_statistics import Refusal, grouped_percentile_interval
from edgeworthy.statistics.paired_ratio import paired_ratio

_INFERENCE = PIPELINE_STAGES.index("inference")
_NS_PER_MS = 1_000_000
_MIB = 1024 * 1024
_MEDIAN = 50.0


def pipeline_times(
    plan: PipelinePlan, launches: Sequence[LaunchObservation], settings: MeasurementSettings
) -> PipelineTimes | None:
    """The figures of one artefact's pipeline; absent when no start had one.

    Args:
        plan: What was run.
        launches: What each start showed.
        settings: As they were when observing.
    """
    observed = [one.pipeline for one in launches if one.pipeline is not None]
    if not observed:
        return None
    stages_ns = [np.concatenate([turn.stage_ns for turn in one.turns]) for one in observed]
    groups = [each / _NS_PER_MS for each in stages_ns]
    whole = [each.sum(axis=1) for each in groups]
    return PipelineTimes(
        form=plan.form,
        query_count=sum(len(each) for each in whole),
        stages=_stages(groups, settings),
        percentiles=percentiles_of(whole, settings),
        quantiles_ms=quantiles_of(np.concatenate(whole)),
        inference_ratio=_inference_ratio(observed),
        cold_start_ms=over_launches(
            [_cold_start_ms(launch) for launch in launches], settings, "ms"
        ),
        peak_memory_mib=over_launches(
            [one.peak_memory_bytes / _MIB for one in observed], settings, "MiB"
        ),
        checked_count=sum(one.checked.checked_count for one in observed),
    )


def _stages(
    groups: Sequence[NDArray[np.float64]], settings: MeasurementSettings
) -> tuple[StageTime, ...]:
    confidence = max(settings.confidences)
    totals = np.concatenate(groups).sum(axis=0)
    found = []
    for position, stage in enumerate(PIPELINE_STAGES):
        own = [each[:, position] for each in groups]
        median = grouped_percentile_interval(own, _MEDIAN, confidence=confidence, unit="ms")
        found.append(
            StageTime(
                stage=stage,
                p50_ms=None if isinstance(median, Refusal) else median,
                share_ratio=float(totals[position] / totals.sum()),
                refusal=median.reason if isinstance(median, Refusal) else "",
            )
        )
    return tuple(found)


def _inference_ratio(observed: Sequence[PipelineObservation]) -> Estimate:
    ratios = np.array([_start_ratio(one) for one in observed])
    compared = paired_ratio(ratios, np.ones(len(ratios)), confidence=RATIO_CONFIDENCE)
    if isinstance(compared, Refusal):
        raise MeasurementError(compared.reason)
    return compared.ratio


def _start_ratio(observed: PipelineObservation) -> float:
    logarithms = [
        np.log(np.median(turn.stage_ns[:, _INFERENCE])) - np.log(np.median(turn.bare_ns))
        for turn in observed.turns
    ]
    return float(np.exp(np.median(logarithms)))


def _cold_start_ms(launch: LaunchObservation) -> float:
    """All that is done once, and the first query: its inference was the first after loading."""
    pipeline = launch.pipeline
    assert pipeline is not None  # noqa: S101 - plans with a pipeline have one in every start
    others_ns = sum(pipeline.first_ns) - pipeline.first_ns[_INFERENCE]
    once_ns = launch.import_ns + pipeline.import_ns + launch.load_ns
    return (once_ns + launch.first_inference_ns + others_ns) / _NS_PER_MS
