from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from edgeworthy.documents.comparison import Comparison
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.measurement import (
    COMPARISON_SETTINGS,
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    compare,
    measure,
)

QUICK = replace(
    COMPARISON_SETTINGS,
    query_count=8,
    minimum_s=0.0,
    block_s=0.001,
    warm_up_limit_s=0.02,
    launches=6,
)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class PlanOf(Protocol):
    def __call__(
        self, path: Path, *, variant: str = ..., is_original: bool = ...
    ) -> MeasurementPlan: ...


def stop_in(launch: int) -> Callable[[MeasurementProgress], None]:
    """A listener who presses Ctrl-C in that start."""

    def listen(progress: MeasurementProgress) -> None:
        if progress.launch == launch:
            raise KeyboardInterrupt

    return listen


def test_the_model_of_a_twelfth_of_the_work_is_faster(
    small_model: Path, large_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    told: list[MeasurementProgress] = []
    found = compare(
        plan(small_model, variant="small"),
        plan(large_model, variant="large"),
        QUICK,
        Circumstances(host, lambda: NOON, ("Noise.",)),
        progress=told.append,
    )
    assert found.verdict == "faster"
    assert found.ratio is not None
    assert found.ratio.high < 0.8
    assert (found.subject.variant, found.baseline.variant) == ("small", "large")
    assert found.start_count == 6
    assert not found.partial
    assert found.outputs is not None
    assert found.outputs.sample_count == 8
    assert found.subject.disturbances[0] == "Noise."
    assert len(told[-1].latest_ms) == 3
    assert found.subject.steady_memory_mib is not None
    assert found.subject.affinity
    cold = found.subject.cold_start_ms
    assert cold is not None
    assert cold.value > found.subject.load_time_ms.low
    assert decode_document(encode_document(found), Comparison, where="here") == found


def test_ctrl_c_keeps_the_starts_that_were_finished(
    small_model: Path,
    host: HostFingerprint,
    plan: PlanOf,
    living: Callable[[], list[int]],
) -> None:
    found = compare(
        plan(small_model),
        plan(small_model),
        QUICK,
        Circumstances(host, lambda: NOON),
        progress=stop_in(4),
    )
    assert (found.partial, found.start_count, found.verdict) == (True, 3, "undecided")
    load = found.subject.load_time_ms
    assert (load.n, load.confidence) == (3, 0.75)
    assert found.subject.partial
    assert found.subject.percentiles[0].latency_ms is None
    assert "needs 6 starts, found 3" in found.subject.percentiles[0].refusal
    assert living() == []


def test_ctrl_c_before_anything_was_finished_is_the_end(
    small_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure([plan(small_model)], QUICK, Circumstances(host, lambda: NOON), progress=stop_in(2))
