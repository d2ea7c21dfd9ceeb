"""From observed latencies to documents with intervals.

Rules:

1. Queries of one start are alike and starts differ, so the starts are the independent observations
   behind every interval: of percentiles, of a ratio, of a load time and of a peak of memory.
2. A percentile is given once per confidence that was asked for, or refused with its reason.
3. After Ctrl-C fewer starts stand behind the figures; their intervals then state the lower
   confidence that so few support, so that no requirement mistakes them for whole ones.
4. Pure: the same observations give the same document.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.measurement import EarlyStopping, Measurement, PairedRatio
from edgeworthy.errors import MeasurementError
from edgeworthy.measurement.estimates import over_launches, percentiles_of, quantiles_of
from edgeworthy.measurement.interleaving import Observation
from edgeworthy.measurement.judging import log_ratios
from edgeworthy.measurement.observations import LaunchObservation
from edgeworthy.measurement.pipeline_summary import pipeline_times
from edgeworthy.measurement.plan import RATIO_CONFIDENCE, MeasurementSettings
from edgeworthy.statistics.order_statistics import (
    Refusal,
    early_stopping_percentile,
    queries_needed_early_stopping,
)
from edgeworthy.statistics.paired_ratio import paired_ratio

SINGLE_STREAM = "SingleStream"
_NS_PER_MS = 1_000_000
_KIB = 1024
_MIB = 1024 * 1024
_MEDIAN = 50.0
_QUANTILE_COUNT = 101


def summarize(
    observation: Observation,
    *,
    original: Observation | None,
    settings: MeasurementSettings,
    host: HostFingerprint,
    taken_at: datetime,
    disturbances: Sequence[str],
) -> Measurement:
    """The document of one artefact.

    Args:
        observation: What was observed of it.
        original: What was observed of the original, in the same rounds; ``None`` for itself.
        settings: As they were when observing.
        host: Where.
        taken_at: When.
        disturbances: What made the host less than quiet.
    """
    plan, launches = observation.plan, observation.launches
    groups_ms = [np.concatenate(launch.turns) / _NS_PER_MS for launch in launches]
    latencies_ms = np.concatenate(groups_ms)
    return Measurement(
        artifact=plan.digest,
        variant=plan.variant,
        target=plan.target,
        runtime=launches[0].runtime_version,
        threads=plan.threads,
        scenario=SINGLE_STREAM,
        query_count=len(latencies_ms),
        percentiles=percentiles_of(groups_ms, settings),
        quantiles_ms=quantiles_of(latencies_ms),
        load_time_ms=over_launches([one.load_ns / _NS_PER_MS for one in launches], settings, "ms"),
        first_inference_ms=float(
            np.median([one.first_inference_ns / _NS_PER_MS for one in launches])
        ),
        peak_memory_mib=over_launches(
            [one.peak_memory_bytes / _MIB for one in launches], settings, "MiB"
        ),
        runtime_memory_mib=float(np.median([one.runtime_memory_bytes / _MIB for one in launches])),
        size_kib=exact(_size_bytes(observation) / _KIB, unit="KiB"),
        against_original=_against(observation, original),
        host=host,
        interleaving_seed=settings.seed,
        taken_at=rfc3339(taken_at),
        expires_at=rfc3339(taken_at + timedelta(days=settings.evidence_days)),
        disturbances=(*disturbances, *_own_disturbances(observation, original)),
        steady_memory_mib=_steady(launches, settings),
        affinity=launches[0].affinity,
        cold_start_ms=_cold_start(launches, settings),
        early_stopping=_early_stopping(latencies_ms, settings),
        checked_count=sum(one.checked.checked_count for one in launches),
        partial=len(launches) < settings.launch_count,
        time_to_first_inference_ms=_time_to_first(launches, settings),
        arena_mib=_arena(launches),
        pipeline=pipeline_times(plan.pipeline, launches, settings) if plan.pipeline else None,
    )


def _time_to_first(
    launches: Sequence[LaunchObservation], settings: MeasurementSettings
) -> Estimate:
    whole_ms = [(one.load_ns + one.first_inference_ns) / _NS_PER_MS for one in launches]
    return over_launches(whole_ms, settings, "ms")


def _arena(launches: Sequence[LaunchObservation]) -> Estimate | None:
    told = [one.arena_bytes for one in launches if one.arena_bytes is not None]
    return exact(max(told) / _MIB, unit="MiB") if told else None


def _cold_start(
    launches: Sequence[LaunchObservation], settings: MeasurementSettings
) -> Estimate | None:
    if not all(one.import_ns for one in launches):
        return None
    whole_ms = [
        (one.import_ns + one.load_ns + one.first_inference_ns) / _NS_PER_MS for one in launches
    ]
    return over_launches(whole_ms, settings, "ms")


def _steady(
    launches: Sequence[LaunchObservation], settings: MeasurementSettings
) -> Estimate | None:
    values = [one.steady_memory_bytes / _MIB for one in launches]
    return over_launches(values, settings, "MiB") if all(values) else None


def _early_stopping(
    latencies_ms: NDArray[np.float64], settings: MeasurementSettings
) -> tuple[EarlyStopping, ...]:
    in_order = np.sort(latencies_ms)
    found = []
    for percent in settings.percents:
        estimate = early_stopping_percentile(in_order, percent)
        found.append(
            EarlyStopping(
                percent=percent,
                latency_ms=None if isinstance(estimate, Refusal) else estimate,
                queries_needed=queries_needed_early_stopping(percent),
            )
        )
    return tuple(found)


def _against(observation: Observation, original: Observation | None) -> PairedRatio | None:
    if original is None:
        return None
    ratios = np.exp(log_ratios(observation, original))
    compared = paired_ratio(ratios, np.ones(len(ratios)), confidence=RATIO_CONFIDENCE)
    if isinstance(compared, Refusal):
        raise MeasurementError(compared.reason)
    return PairedRatio(
        baseline=original.plan.digest, ratio=compared.ratio, verdict=compared.verdict
    )


def _size_bytes(observation: Observation) -> int:
    plan = observation.plan
    return plan.artifact.stat().st_size if plan.size_bytes is None else plan.size_bytes


def _own_disturbances(observation: Observation, original: Observation | None) -> tuple[str, ...]:
    launches = observation.launches
    restless = sum(not launch.stationary for launch in launches)
    found = []
    if restless:
        found.append(
            "The latency was still falling after the warm-up in "
            f"{restless} of {len(launches)} starts."
        )
    if observation.varies:
        ratio = "; the ratio to the original is one of means over the samples" if original else ""
        found.append(
            "How long a query takes depends on its input: the figures hold for inputs like those "
            f"that were measured{ratio}."
        )
    return tuple(found)


def rfc3339(moment: datetime) -> str:
    """A moment as documents write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
