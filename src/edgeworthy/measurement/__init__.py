"""How fast and how large an artefact is on this machine, in figures that can be defended.

Artefacts run in child processes that take turns, so that their latencies compare; percentiles
and ratios carry intervals that assume no distribution, or are refused.
"""

from edgeworthy.measurement.comparison import COMPARISON_SETTINGS, compare
from edgeworthy.measurement.load_scenarios import LoadOptions, measure_load
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
from edgeworthy.measurement.sweep import SweepAxes, powers_of_two, sweep

__all__ = [
    "COMPARISON_SETTINGS",
    "Circumstances",
    "LoadOptions",
    "MeasurementMetric",
    "MeasurementPlan",
    "MeasurementProgress",
    "MeasurementSettings",
    "ProgressListener",
    "SweepAxes",
    "compare",
    "measure",
    "measure_load",
    "measurement_metrics",
    "metric_estimate",
    "powers_of_two",
    "sweep",
]
