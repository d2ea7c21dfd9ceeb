"""How fast and how large an artefact is on this machine, in figures that can be defended.

Artefacts run in child processes that take turns, so that their latencies compare; percentiles
and ratios carry intervals that assume no distribution, or are refused. The doors open on first
use: a child process passes through here too, and must not carry what only its parent needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from edgeworthy.measurement.sweeping import SweepAxes, powers_of_two, sweep

# No door may have the name of a module: importing that module would take the door's place.
_HOMES = {
    "COMPARISON_SETTINGS": "comparison",
    "Circumstances": "plan",
    "LoadOptions": "load_scenarios",
    "MeasurementMetric": "metrics",
    "MeasurementPlan": "plan",
    "MeasurementProgress": "plan",
    "MeasurementSettings": "plan",
    "ProgressListener": "plan",
    "SweepAxes": "sweeping",
    "compare": "comparison",
    "measure": "single_stream",
    "measure_load": "load_scenarios",
    "measurement_metrics": "metrics",
    "metric_estimate": "metrics",
    "powers_of_two": "sweeping",
    "sweep": "sweeping",
}

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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
