"""What activations look like on real samples, and the ranges that calibrators make of it."""

from edgeworthy.optimization.calibration.histogram import Histogram
from edgeworthy.optimization.calibration.observation import (
    affordable_samples,
    first_runs,
    in_runs,
    observe,
    observe_ranges,
    ranges_of,
)
from edgeworthy.optimization.calibration.ranges import (
    OUTPUT_ERROR,
    SIMPLE,
    Sight,
    TensorRange,
    check_method,
    cut_ratio,
    range_of,
)

__all__ = [
    "OUTPUT_ERROR",
    "SIMPLE",
    "Histogram",
    "Sight",
    "TensorRange",
    "affordable_samples",
    "check_method",
    "cut_ratio",
    "first_runs",
    "in_runs",
    "observe",
    "observe_ranges",
    "range_of",
    "ranges_of",
]
