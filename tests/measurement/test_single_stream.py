from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import InferenceError, MeasurementError, ModelFileError, UsageError
from edgeworthy.measurement import (
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    measure,
)
from edgeworthy.measurement.single_stream import unchanged

#: As little as gives every figure: six starts of 69 queries for p99.
QUICK = MeasurementSettings(
    query_count=414, budget_s=30.0, minimum_s=0.0, block_s=0.001, warm_up_limit_s=0.05, seed=7
)
NOON = datetime(2026, 11, 23, 13, 0, tzinfo=timezone(timedelta(hours=1)))


class PlanOf(Protocol):
    def __call__(
        self, path: Path, *, variant: str = ..., is_original: bool = ...
    ) -> MeasurementPlan: ...


@dataclass
class Told:
    """What the listener was told, and the states of the processes then."""

    progress: list[MeasurementProgress]
    states: set[str]
    process_ids: set[int]


@dataclass(frozen=True)
class Measured:
    """A measurement of two models, and what was seen meanwhile."""

    measurements: tuple[Measurement, ...]
    told: Told
    left: list[int]


@pytest.fixture(scope="module")
def measured(
    small_model: Path,
    large_model: Path,
    host: HostFingerprint,
    plan: PlanOf,
    living: Callable[[], list[int]],
) -> Measured:
    told = Told(progress=[], states=set(), process_ids=set())

    def listen(progress: MeasurementProgress) -> None:
        told.progress.append(progress)
        for process_id in living():
            stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
            told.states.add(stat.rsplit(")", 1)[1].split()[0])
            told.process_ids.add(process_id)

    plans = [plan(large_model, variant="float32", is_original=True), plan(small_model)]
    measurements = measure(
        [plans[0], replace(plans[1], variant="small", digest="sha256:small", size_bytes=512)],
        QUICK,
        Circumstances(host, lambda: NOON, ("The load is high.",)),
        inputs=[{"image": np.ones((1, 8, 16, 16), np.float32)}],
        progress=listen,
    )
    return Measured(measurements, told, living())


def test_the_documents_name_what_was_measured_where_and_when(
    measured: Measured, host: HostFingerprint, large_model: Path
) -> None:
    original, small = measured.measurements
    assert (original.variant, small.variant) == ("float32", "small")
    assert (original.artifact, small.artifact) == ("sha256:float32", "sha256:small")
    assert original.target == "board"
    assert original.runtime.startswith("onnxruntime 1.")
    assert (original.threads, original.scenario) == (1, "SingleStream")
    assert original.host == host
    assert original.interleaving_seed == 7
    assert original.taken_at == "2026-11-23T12:00:00Z"
    assert original.expires_at == "2027-02-21T12:00:00Z"
    assert original.disturbances[0] == "The load is high."
    assert original.size_kib.value == large_model.stat().st_size / 1024
    assert small.size_kib.value == 0.5
    assert original.size_kib.confidence == 1.0


def test_every_percentile_has_an_interval_over_six_starts(measured: Measured) -> None:
    for measurement in measured.measurements:
        assert measurement.query_count >= 414
        assert [entry.percent for entry in measurement.percentiles] == [50, 90, 99]
        values = []
        for entry in measurement.percentiles:
            assert entry.latency_ms is not None
            assert entry.refusal == ""
            assert entry.latency_ms.n == 6
            assert entry.latency_ms.unit == "ms"
            values.append(entry.latency_ms.value)
        assert values == sorted(values)
        assert len(measurement.quantiles_ms) == 101
        assert list(measurement.quantiles_ms) == sorted(measurement.quantiles_ms)
        assert measurement.quantiles_ms[50] == values[0]


def test_memory_and_load_time_are_those_of_the_processes(measured: Measured) -> None:
    for measurement in measured.measurements:
        assert measurement.load_time_ms.value > 0
        assert measurement.load_time_ms.n == 6
        assert measurement.first_inference_ms > 0
        assert 10 < measurement.runtime_memory_mib < measurement.peak_memory_mib.high < 2000
        assert measurement.peak_memory_mib.unit == "MiB"


def test_the_model_of_a_twelfth_of_the_work_is_faster(measured: Measured) -> None:
    original, small = measured.measurements
    assert original.against_original is None
    assert small.against_original is not None
    assert small.against_original.baseline == "sha256:float32"
    assert small.against_original.verdict == "faster"
    assert small.against_original.ratio.high < 1
    assert small.against_original.ratio.confidence == 0.95


def test_the_documents_survive_the_disk(measured: Measured) -> None:
    for measurement in measured.measurements:
        data = encode_document(measurement)
        assert decode_document(data, Measurement, where="here") == measurement


def test_the_listener_hears_of_every_start_when_nobody_works(measured: Measured) -> None:
    progress = measured.told.progress
    ratios = [one.done_ratio for one in progress]
    assert ratios == sorted(ratios)
    assert 0 < ratios[0] < ratios[-1] == 1.0
    assert {one.launch for one in progress} == set(range(1, 7))
    assert {one.launch_count for one in progress} == {6}
    assert measured.told.states == {"T"}


def test_each_artefact_had_six_processes_and_none_is_left(measured: Measured) -> None:
    assert len(measured.told.process_ids) == 12
    assert measured.left == []


def test_a_budget_that_ends_early_refuses_what_it_cannot_give(
    batched_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    settings = replace(QUICK, query_count=10**6, budget_s=1e-9, block_s=1e-9)
    sample = {"image": np.ones((1, 8, 16, 16), np.float32)}
    (found,) = measure(
        [plan(batched_model)], settings, Circumstances(host, lambda: NOON), inputs=[sample]
    )
    assert found.query_count == 6
    assert [entry.latency_ms is None for entry in found.percentiles] == [False, True, True]
    assert found.percentiles[2].refusal == "p99 at 95 % confidence needs 414 queries, found 6"
    assert found.against_original is None


def test_kill_minus_nine_of_a_process_between_two_rounds(
    small_model: Path,
    large_model: Path,
    host: HostFingerprint,
    plan: PlanOf,
    living: Callable[[], list[int]],
) -> None:
    def kill(_: MeasurementProgress) -> None:
        os.kill(living()[0], signal.SIGKILL)

    with pytest.raises(InferenceError, match="ended by SIGKILL") as caught:
        measure(
            [plan(small_model), plan(large_model, is_original=True)],
            QUICK,
            Circumstances(host, lambda: NOON),
            progress=kill,
        )
    assert "float32 (" in caught.value.where
    assert living() == []


def test_ctrl_c_ends_all_processes(
    small_model: Path, host: HostFingerprint, plan: PlanOf, living: Callable[[], list[int]]
) -> None:
    def interrupt(_: MeasurementProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure([plan(small_model)], QUICK, Circumstances(host, lambda: NOON), progress=interrupt)
    assert living() == []


def test_a_model_that_hangs_is_an_error_that_names_it(
    endless_model: Path, host: HostFingerprint, plan: PlanOf, living: Callable[[], list[int]]
) -> None:
    settings = replace(QUICK, reply_timeout_s=1.0)
    with pytest.raises(MeasurementError, match=r"float32 \(.*endless.onnx\): no answer"):
        measure([plan(endless_model)], settings, Circumstances(host, lambda: NOON))
    assert living() == []


def test_a_file_that_is_no_model_is_an_error_that_names_it(
    tmp_path: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"float32 \(.*broken.onnx\): "):
        measure([plan(broken)], QUICK, Circumstances(host, lambda: NOON))


def test_a_missing_file_is_an_error_before_anything_starts(
    tmp_path: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    with pytest.raises(ModelFileError, match=r"gone.onnx: cannot be read: No such file"):
        measure([plan(tmp_path / "gone.onnx")], QUICK, Circumstances(host, lambda: NOON))


def test_a_file_that_changes_meanwhile_gives_no_figures(tmp_path: Path) -> None:
    kept, changed = tmp_path / "kept.onnx", tmp_path / "changed.onnx"
    kept.write_bytes(b"a")
    changed.write_bytes(b"a")
    with unchanged([kept]):
        changed.write_bytes(b"b")
    with (
        pytest.raises(MeasurementError, match=r"changed.onnx: changed while it was measured"),
        unchanged([kept, changed]),
    ):
        changed.write_bytes(b"c")


def test_nothing_to_measure_gives_nothing(host: HostFingerprint) -> None:
    assert measure([], QUICK, Circumstances(host, lambda: datetime.now(UTC))) == ()


def test_two_originals_on_one_target_are_refused(
    small_model: Path, host: HostFingerprint, plan: PlanOf
) -> None:
    twice = [plan(small_model, is_original=True)] * 2
    with pytest.raises(UsageError, match="`board`: two originals on one target"):
        measure(twice, QUICK, Circumstances(host, lambda: NOON))
