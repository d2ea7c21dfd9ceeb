from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.documents.sweep import Sweep
from edgeworthy.errors import MeasurementError, UsageError
from edgeworthy.measurement import (
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    SweepAxes,
    powers_of_two,
    sweep,
)
from edgeworthy.measurement.sweeping import Setting, points_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class PlanOf(Protocol):
    def __call__(
        self, path: Path, *, variant: str = ..., is_original: bool = ...
    ) -> MeasurementPlan: ...


def test_the_knee_is_where_waiting_longer_buys_next_to_nothing() -> None:
    ms = 1e6
    found = points_of(
        {
            Setting(1, 1): [1.0 * ms] * 3,
            Setting(1, 8): [4.0 * ms, 4.1 * ms, 4.2 * ms],
            Setting(1, 16): [7.7 * ms] * 3,
            Setting(2, 1): [0.9 * ms] * 3,
        }
    )
    assert [(each.threads, each.batch) for each in found if each.is_knee] == [(1, 8)]
    eight = found[1]
    assert (eight.latency_ms.low, eight.latency_ms.value, eight.latency_ms.high) == (4.0, 4.1, 4.2)
    assert eight.throughput_hz.value == pytest.approx(8000 / 4.1)
    assert eight.latency_ms.confidence == 0.75


def test_every_pair_of_threads_and_batch_is_measured(
    small_model: Path, host: HostFingerprint, plan: PlanOf, living: Callable[[], list[int]]
) -> None:
    told: list[MeasurementProgress] = []
    found = sweep(
        plan(small_model),
        MeasurementSettings(warm_up_limit_s=0.02),
        SweepAxes(threads=(1, 2), batches=(1, 3)),
        Circumstances(host, lambda: NOON, ("Noise.",)),
        progress=told.append,
    )
    assert [(each.threads, each.batch) for each in found.points] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    assert all(each.latency_ms.n == 3 for each in found.points)
    assert found.disturbances == ("Noise.",)
    assert told[-1].done_ratio == 1.0
    assert living() == []
    assert decode_document(encode_document(found), Sweep, where="here") == found


def test_a_listener_that_stops_leaves_no_process(
    small_model: Path, host: HostFingerprint, plan: PlanOf, living: Callable[[], list[int]]
) -> None:
    def stop(_: MeasurementProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(
            replace(plan(small_model), threads=2),
            MeasurementSettings(warm_up_limit_s=0.02),
            SweepAxes(),
            Circumstances(host, lambda: NOON),
            progress=stop,
        )
    assert living() == []


@pytest.mark.parametrize("axes", [((), (1,)), ((1,), ()), ((0,), (1,)), ((1,), (-1,))])
def test_axes_that_cannot_be_run_are_refused(axes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        SweepAxes(threads=axes[0], batches=axes[1])


def test_powers_of_two_end_with_the_largest() -> None:
    assert [powers_of_two(each) for each in (1, 4, 12)] == [(1,), (1, 2, 4), (1, 2, 4, 8, 12)]


def test_threads_are_no_more_than_the_processors_they_are_bound_to() -> None:
    axes = SweepAxes(threads=(1, 2), batches=(1,), processors=((0, 1), (1,)))
    assert axes.settings == (
        Setting(1, 1, (0, 1)),
        Setting(2, 1, (0, 1)),
        Setting(1, 1, (1,)),
    )
    assert axes.processes == ((1, (0, 1)), (2, (0, 1)), (1, (1,)))


def test_a_process_is_bound_before_its_engine_comes(
    small_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    last = max(os.sched_getaffinity(0))
    found = sweep(
        plan(small_model),
        MeasurementSettings(warm_up_limit_s=0.02),
        SweepAxes(processors=((last,),)),
        Circumstances(host, lambda: NOON),
    )
    assert found.affinity == (last,)
    assert [each.processors for each in found.points] == [(last,)]


def test_processors_that_are_not_there_are_an_error(
    small_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    with pytest.raises(MeasurementError, match="cannot be bound to processors 9999"):
        sweep(
            plan(small_model),
            MeasurementSettings(warm_up_limit_s=0.02),
            SweepAxes(processors=((9999,),)),
            Circumstances(host, lambda: NOON),
        )
