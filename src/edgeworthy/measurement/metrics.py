"""The names that requirements use for figures of a measurement.

Rules:

1. A name ends in its unit. All of them are better when lower.
2. ``latency_pN_ms`` is the entry of :attr:`Measurement.percentiles` with that percent and the
   smallest confidence that is at least the one asked for; without one, the reason is the refusal
   of an entry with that percent. The other names are fields of the document, whose confidence must
   be at least the one asked for.
"""

from __future__ import annotations

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import Record
from edgeworthy.errors import UsageError

_LATENCY_PERCENTS = {"latency_p50_ms": 50.0, "latency_p90_ms": 90.0, "latency_p99_ms": 99.0}


class MeasurementMetric(Record, frozen=True, kw_only=True):
    """A figure that can be required.

    Attributes:
        name: As in the project file.
        unit: Of its estimate.
        title: For people.
        higher_is_better: Never, here.
    """

    name: str
    unit: str
    title: str
    higher_is_better: bool = False


_METRICS = (
    MeasurementMetric(name="latency_p50_ms", unit="ms", title="Median latency"),
    MeasurementMetric(name="latency_p90_ms", unit="ms", title="90th percentile of latency"),
    MeasurementMetric(name="latency_p99_ms", unit="ms", title="99th percentile of latency"),
    MeasurementMetric(name="load_time_ms", unit="ms", title="Load time"),
    MeasurementMetric(name="peak_memory_mib", unit="MiB", title="Peak memory of the process"),
    MeasurementMetric(name="size_kib", unit="KiB", title="Size of the file"),
)


def measurement_metrics() -> tuple[MeasurementMetric, ...]:
    """All figures of a measurement that can be required.

    >>> measurement_metrics()[0].name
    'latency_p50_ms'
    """
    return _METRICS


def metric_estimate(measurement: Measurement, name: str, confidence: float) -> Estimate | str:
    """A figure at a confidence.

    Args:
        measurement: The document.
        name: One of :func:`measurement_metrics`.
        confidence: Coverage that is asked for, in (0, 1).

    Returns:
        The figure, its interval covering at least as much as asked for, or why there is none.

    Raises:
        UsageError: No figure has that name.
    """
    if name in _LATENCY_PERCENTS:
        return _latency(measurement, _LATENCY_PERCENTS[name], confidence)
    if name not in {metric.name for metric in _METRICS}:
        raise UsageError(
            f"a measurement has no figure called `{name}`",
            expected=", ".join(f"`{metric.name}`" for metric in _METRICS),
        )
    estimate: Estimate = getattr(measurement, name)
    return estimate if estimate.confidence >= confidence else _too_low(name, confidence)


def _latency(measurement: Measurement, percent: float, confidence: float) -> Estimate | str:
    entries = [entry for entry in measurement.percentiles if entry.percent == percent]
    fitting = [
        entry.latency_ms
        for entry in entries
        if entry.latency_ms is not None and entry.latency_ms.confidence >= confidence
    ]
    if fitting:
        return min(fitting, key=lambda estimate: estimate.confidence)
    refusals = [entry.refusal for entry in entries if entry.refusal]
    return refusals[-1] if refusals else _too_low(f"p{percent:g}", confidence)


def _too_low(name: str, confidence: float) -> str:
    return f"{name} was not measured at {confidence * 100:g} % confidence"
