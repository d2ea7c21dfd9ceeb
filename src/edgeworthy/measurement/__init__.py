"""How fast and how large an artefact is on this machine, in figures that can be defended.

Artefacts run in child processes that take turns, so that their latencies compare; percentiles
and ratios carry intervals that assume no distribution, or are refused.
"""

from edgeworthy.measurement.metrics import (
    MeasurementMetric,
    measurement_metrics,
    metric_estimate,
)
from edgeworthy.measurement.plan import (
    Circumstances,
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.single_stream import measure

__all__ = [
    "Circumstances",
    "MeasurementMetric",
    "MeasurementPlan",
    "MeasurementProgress",
    "MeasurementSettings",
    "ProgressListener",
    "measure",
    "measurement_metrics",
    "metric_estimate",
]
