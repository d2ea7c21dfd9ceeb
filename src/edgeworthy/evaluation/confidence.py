"""Confidence before and after the temperature.

Rules:

1. The figures after are those of the judged samples with the fitted temperature: other samples
   than it was fitted on.
2. Without a temperature there are no figures after: a device then applies none.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from edgeworthy.documents.evaluation import MetricValue, ReliabilityBin
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.metrics.calibration import reliability_bins
from edgeworthy.evaluation.parts import slices_of, whole
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.classification import Classification


@dataclass(frozen=True)
class ScaledConfidence:
    """What the temperature does.

    Attributes:
        metrics: On all samples and per slice.
        reliability: The bins of the reliability diagram.
    """

    metrics: tuple[MetricValue, ...]
    reliability: tuple[ReliabilityBin, ...]


def scaled_confidence(
    subject: Predictions, settings: EvaluationSettings, temperature: float
) -> ScaledConfidence:
    """Judge the confidence with a temperature.

    Args:
        subject: What the artefact says about the judged samples.
        settings: How outputs are read.
        temperature: Fitted on other samples.
    """
    task = Classification()
    judged = task.decode(subject, dataclasses.replace(settings, temperature=temperature))
    plan = IntervalPlan(settings.confidences, settings.seed, settings.resamples)
    metrics = tuple(
        value
        for part in (whole(subject), *slices_of(subject))
        for metric in task.scaled_metrics
        for value in metric.values(
            judged.take(part.indices), None, dataclasses.replace(plan, slice_name=part.name)
        )
    )
    return ScaledConfidence(metrics, reliability_bins(judged))
