from __future__ import annotations

import pytest

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.measurement import Measurement, Percentile
from edgeworthy.errors import UsageError
from edgeworthy.measurement import measurement_metrics, metric_estimate


def estimate(value: float, confidence: float, unit: str = "ms") -> Estimate:
    return Estimate(
        value=value,
        low=value / 2,
        high=value * 2,
        confidence=confidence,
        n=6,
        method="order-statistic",
        unit=unit,
    )


@pytest.fixture
def measurement(host: HostFingerprint) -> Measurement:
    return Measurement(
        artifact="sha256:a",
        variant="v",
        target="t",
        runtime="engine 1",
        threads=1,
        scenario="SingleStream",
        query_count=100,
        percentiles=(
            Percentile(percent=50, latency_ms=estimate(1, 0.99)),
            Percentile(percent=50, latency_ms=estimate(1, 0.9)),
            Percentile(percent=90, latency_ms=estimate(2, 0.9)),
            Percentile(percent=90, latency_ms=None, refusal="p90 at 99 % needs more"),
            Percentile(percent=99, latency_ms=None, refusal="p99 needs more"),
        ),
        quantiles_ms=(),
        load_time_ms=estimate(3, 0.95),
        first_inference_ms=1.0,
        peak_memory_mib=estimate(4, 0.95, "MiB"),
        runtime_memory_mib=1.0,
        size_kib=exact(5.0, unit="KiB"),
        against_original=None,
        host=host,
        interleaving_seed=0,
        taken_at="",
        expires_at="",
    )


@pytest.mark.parametrize(
    ("name", "confidence", "found"),
    [
        ("latency_p50_ms", 0.9, estimate(1, 0.9)),
        ("latency_p50_ms", 0.95, estimate(1, 0.99)),
        ("latency_p50_ms", 0.999, "p50 was not measured at 99.9 % confidence"),
        ("latency_p90_ms", 0.9, estimate(2, 0.9)),
        ("latency_p90_ms", 0.95, "p90 at 99 % needs more"),
        ("latency_p99_ms", 0.5, "p99 needs more"),
        ("load_time_ms", 0.95, estimate(3, 0.95)),
        ("load_time_ms", 0.99, "load_time_ms was not measured at 99 % confidence"),
        ("peak_memory_mib", 0.8, estimate(4, 0.95, "MiB")),
        ("size_kib", 0.999, exact(5.0, unit="KiB")),
    ],
)
def test_figures_by_name(
    measurement: Measurement, name: str, confidence: float, found: Estimate | str
) -> None:
    assert metric_estimate(measurement, name, confidence) == found


def test_every_metric_has_a_figure_or_a_reason_in_its_unit(measurement: Measurement) -> None:
    assert len(measurement_metrics()) == 6
    for metric in measurement_metrics():
        found = metric_estimate(measurement, metric.name, 0.5)
        assert isinstance(found, str) or found.unit == metric.unit
        assert not metric.higher_is_better
        assert metric.title


@pytest.mark.parametrize("name", ["latency_p95_ms", "artifact", ""])
def test_other_names_are_refused(measurement: Measurement, name: str) -> None:
    with pytest.raises(UsageError, match="has no figure called"):
        metric_estimate(measurement, name, 0.95)
