"""Anomaly detection: one score per sample, higher for what is not normal."""

from __future__ import annotations

import numpy as np

from edgeworthy.evaluation.metrics.found import HurtSliceCount, WeakSliceCount
from edgeworthy.evaluation.metrics.ranking import Auroc, AveragePrecision, PartialAuroc
from edgeworthy.evaluation.metrics.thresholded import F1AtThreshold
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Losses, Scores
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task, one_value_per_sample, whole_labels


class Anomaly(Task[Scores]):
    """One score per sample."""

    name = "anomaly"
    metrics = (Auroc(), AveragePrecision(), PartialAuroc(), F1AtThreshold())

    examined_metrics = (WeakSliceCount(), HurtSliceCount())

    def losses(self, samples: Scores) -> Losses:
        """Share of the other kind that a sample is taken for: those it should be above, or below.

        The mean over the anomalous samples, or over the normal ones, is 1 minus the AUROC.
        """
        values = np.zeros(len(samples))
        if samples.has_both_kinds:
            for kind, sign in ((samples.anomalous, 1.0), (~samples.anomalous, -1.0)):
                others = np.sort(-sign * samples.scores[~kind])
                mine = -sign * samples.scores[kind]
                below = np.searchsorted(others, mine, side="left")
                ties = np.searchsorted(others, mine, side="right") - below
                values[kind] = (below + ties / 2) / len(others)
        return Losses(values, "the share of misranked pairs", right_or_wrong=False)

    def decode(
        self,
        predictions: Predictions,
        settings: EvaluationSettings,
    ) -> Scores:
        """Scores beside the truth: 1 for anomalous, 0 for normal."""
        labels = whole_labels(predictions.labels, count=2, task=self.name)
        scores = one_value_per_sample(predictions, task=self.name)
        return Scores(labels, scores, settings.threshold)
