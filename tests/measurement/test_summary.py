from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.measurement import Measurement
from edgeworthy.errors import MeasurementError
from edgeworthy.measurement import MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.interleaving import Observation
from edgeworthy.measurement.observations import LaunchObservation
from edgeworthy.measurement.summary import summarize

MS = 1_000_000
MIB = 1 << 20


def observation(
    launches: Sequence[Sequence[NDArray[np.int64]]], *, stationary: bool = True
) -> Observation:
    return Observation(
        plan=MeasurementPlan(
            variant="v", artifact=Path("v.onnx"), digest="sha256:v", target="t", size_bytes=1024
        ),
        launches=tuple(
            LaunchObservation(
                runtime_version="engine 1",
                runtime_memory_bytes=50 * MIB,
                load_ns=(number + 1) * MS,
                first_inference_ns=(10 - number) * MS,
                stationary=stationary or number > 1,
                peak_memory_bytes=(60 + number) * MIB,
                turns=tuple(turns),
            )
            for number, turns in enumerate(launches)
        ),
    )


Summarize = Callable[..., Measurement]


@pytest.fixture
def summary(host: HostFingerprint) -> Summarize:
    def make(
        subject: Observation,
        original: Observation | None = None,
        settings: MeasurementSettings | None = None,
    ) -> Measurement:
        return summarize(
            subject,
            original=original,
            settings=settings or MeasurementSettings(),
            host=host,
            taken_at=datetime(2026, 1, 1, tzinfo=UTC),
            disturbances=("Noise.",),
        )

    return make


def even_turns(launch_count: int = 6) -> list[list[NDArray[np.int64]]]:
    """Each launch: 100 latencies of 1 to 100 ms plus the number of the launch, in two turns."""
    return [
        [np.arange(1, 51) * MS + number * MS, np.arange(51, 101) * MS + number * MS]
        for number in range(launch_count)
    ]


def test_percentiles_join_all_starts_and_their_ends_are_those_of_the_starts(
    summary: Summarize,
) -> None:
    found = summary(observation(even_turns()))
    assert found.query_count == 600
    median = found.percentiles[0].latency_ms
    assert median is not None
    assert (median.low, median.value, median.high) == (50.5, 53.0, 55.5)
    assert found.quantiles_ms[0] == 1.0
    assert found.quantiles_ms[100] == 105.0


def test_load_time_and_memory_are_medians_over_the_starts(summary: Summarize) -> None:
    found = summary(observation(even_turns()))
    load, peak = found.load_time_ms, found.peak_memory_mib
    assert (load.low, load.value, load.high) == (1.0, 3.0, 6.0)
    assert (peak.low, peak.value, peak.high) == (60.0, 62.0, 65.0)
    assert found.runtime_memory_mib == 50.0
    assert found.first_inference_ms == 7.5
    assert found.size_kib.value == 1.0


def test_each_confidence_gives_an_entry_of_its_own(summary: Summarize) -> None:
    settings = MeasurementSettings(confidences=(0.8, 0.99))
    found = summary(observation(even_turns(8)), settings=settings)
    listed = [
        (entry.percent, entry.latency_ms and entry.latency_ms.confidence)
        for entry in found.percentiles
    ]
    assert listed == [(50, 0.8), (50, 0.99), (90, 0.8), (90, 0.99), (99, 0.8), (99, 0.99)]
    assert found.load_time_ms.confidence == 0.99


def test_a_ratio_is_taken_round_by_round_within_each_start(summary: Summarize) -> None:
    subject = [[turn * 3 for turn in turns] for turns in even_turns()]
    # A burst in one of three rounds hits both and cancels; one that hits the other does not count.
    burst = np.full(50, 900 * MS)
    ours = observation([[*turns, burst] for turns in subject])
    theirs = observation([[*turns, burst * 7] for turns in even_turns()])
    found = summary(ours, theirs).against_original
    assert found is not None
    assert found.baseline == "sha256:v"
    assert found.ratio.value == pytest.approx(3.0)
    assert found.verdict == "slower"


def test_a_warm_up_that_did_not_settle_is_a_disturbance(summary: Summarize) -> None:
    assert summary(observation(even_turns())).disturbances == ("Noise.",)
    assert summary(observation(even_turns(), stationary=False)).disturbances == (
        "Noise.",
        "The latency was still falling after the warm-up in 2 of 6 starts.",
    )


def test_fewer_starts_than_a_figure_needs_are_refused(summary: Summarize) -> None:
    with pytest.raises(MeasurementError, match="needs 6 queries, found 5"):
        summary(observation(even_turns(5)))
    few = observation(even_turns(5))
    with pytest.raises(MeasurementError, match="needs 6 pairs, found 5"):
        summary(few, few, settings=MeasurementSettings(confidences=(0.5,)))


def test_what_mlperf_would_report_stands_beside_the_percentiles(summary: Summarize) -> None:
    found = summary(observation(even_turns())).early_stopping
    assert [(each.percent, each.queries_needed) for each in found] == [
        (50, 11),
        (90, 64),
        (99, 662),
    ]
    assert found[1].latency_ms is not None
    assert found[1].latency_ms > 93
    assert found[2].latency_ms is None


def test_where_work_varies_the_record_says_so_and_the_ratio_is_one_of_means(
    summary: Summarize,
) -> None:
    long = [[np.array([1, 1, 1, 9, 1]) * MS, np.array([1, 1, 1, 9, 1]) * MS]] * 6
    subject = replace(observation(long), cycle=5, varies=True)
    original = replace(observation([[np.full(10, 4) * MS]] * 6), cycle=5)
    found = summary(subject, original)
    assert found.against_original is not None
    assert found.against_original.ratio.value == pytest.approx(13 / 5 / 4)
    (sentence,) = (each for each in found.disturbances if "depends on its input" in each)
    assert "the ratio to the original is one of means" in sentence
    assert not any("depends" in each for each in summary(original, subject).disturbances)
    (alone,) = (each for each in summary(subject).disturbances if "depends" in each)
    assert "ratio" not in alone
