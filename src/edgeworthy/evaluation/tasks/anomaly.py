"""Anomaly detection: one score per sample, higher for what is not normal."""

from __future__ import annotations

from edgeworthy.evaluation.metrics.ranking import Auroc, AveragePrecision, PartialAuroc
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Scores
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task, one_value_per_sample, whole_labels


class Anomaly(Task[Scores]):
    """One score per sample."""

    name = "anomaly"
    metrics = (Auroc(), AveragePrecision(), PartialAuroc())

    def decode(
        self,
        predictions: Predictions,
        settings: EvaluationSettings,  # noqa: ARG002 - nothing to choose
    ) -> Scores:
        """Scores beside the truth: 1 for anomalous, 0 for normal."""
        labels = whole_labels(predictions.labels, count=2, task=self.name)
        return Scores(labels, one_value_per_sample(predictions, task=self.name))
