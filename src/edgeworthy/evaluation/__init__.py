"""How good an artefact is: metrics with intervals, slices, and what changed from the original.

The room needs nothing but a function from input tensors to output tensors: a file in any runtime,
or later a device over the wire.
"""

from __future__ import annotations

from edgeworthy.evaluation.confidence import ScaledConfidence, scaled_confidence
from edgeworthy.evaluation.evaluate import evaluate
from edgeworthy.evaluation.metrics.base import MetricDefinition
from edgeworthy.evaluation.outputs import check_outputs, judged_as
from edgeworthy.evaluation.predictions import Predictions, predict
from edgeworthy.evaluation.result import EvaluationResult
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.slices.examining import examine_slices, input_properties
from edgeworthy.evaluation.slices.found import FoundSlices
from edgeworthy.evaluation.slices.search import SearchPlan
from edgeworthy.evaluation.tasks import metrics_of
from edgeworthy.evaluation.temperature import FittedTemperature, fit_temperature

__all__ = [
    "EvaluationResult",
    "EvaluationSettings",
    "FittedTemperature",
    "FoundSlices",
    "MetricDefinition",
    "Predictions",
    "ScaledConfidence",
    "SearchPlan",
    "check_outputs",
    "evaluate",
    "examine_slices",
    "fit_temperature",
    "input_properties",
    "judged_as",
    "metrics_of",
    "predict",
    "scaled_confidence",
]
