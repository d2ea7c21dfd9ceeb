"""Figures over the starts of an artefact.

Rules:

1. Queries of one start are alike and starts differ, so the starts are the independent observations
   behind every interval.
2. A percentile is given once per confidence that was asked for, or refused with its reason.
3. Where Ctrl-C left fewer starts, intervals state the lower confidence that so few support.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Percentile
from edgeworthy.errors import MeasurementError
from edgeworthy.measurement.plan import MeasurementSettings
from edgeworthy.statistics.order_statistics import (
    Refusal,
    grouped_percentile_interval,
    percentile_interval,
)

_MEDIAN = 50.0
_QUANTILE_COUNT = 101


def percentiles_of(
    groups_ms: Sequence[NDArray[np.float64]], settings: MeasurementSettings
) -> tuple[Percentile, ...]:
    """The percentiles that the settings ask for, from the latencies of each start."""
    found = []
    for percent in settings.percents:
        for confidence in settings.confidences:
            interval = grouped_percentile_interval(
                groups_ms, percent, confidence=confidence, unit="ms"
            )
            if isinstance(interval, Refusal):
                refused = Percentile(percent=percent, latency_ms=None, refusal=interval.reason)
                found.append(refused)
            else:
                found.append(Percentile(percent=percent, latency_ms=interval))
    return tuple(found)


def quantiles_of(latencies_ms: NDArray[np.float64]) -> tuple[float, ...]:
    """101 quantiles from 0 to 100 percent, for drawing."""
    quantiles: list[float] = np.quantile(
        latencies_ms, np.linspace(0, 1, _QUANTILE_COUNT), method="inverted_cdf"
    ).tolist()
    return tuple(quantiles)


def over_launches(values: Sequence[float], settings: MeasurementSettings, unit: str) -> Estimate:
    """Median over the starts, at the highest confidence that was asked for.

    When Ctrl-C left fewer starts, at the confidence that these support.
    """
    confidence = max(settings.confidences)
    if len(values) < settings.launch_count and settings.keeps_partial:
        confidence = min(confidence, 1 - 2 * 0.5 ** len(values))
    interval = percentile_interval(
        np.sort(np.array(values)), _MEDIAN, confidence=confidence, unit=unit
    )
    if isinstance(interval, Refusal):
        # The settings allow no fewer starts than this needs.
        raise MeasurementError(interval.reason)
    return interval


def range_over_starts(values: Sequence[float], *, unit: str) -> Estimate:
    """Median and range of few starts, at the confidence that so many support.

    >>> range_over_starts([1.0, 3.0, 2.0], unit="ms").confidence
    0.75
    """
    return Estimate(
        value=float(np.median(values)),
        low=min(values),
        high=max(values),
        confidence=1 - 2 * 0.5 ** len(values),
        n=len(values),
        method="range over starts",
        unit=unit,
    )
