"""Regression: one number per sample, in the unit of the label."""

from __future__ import annotations

import numpy as np

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.metrics.found import HurtSliceCount, WeakSliceCount
from edgeworthy.evaluation.metrics.regression import (
    MeanAbsoluteError,
    MeanDeviation,
    RootMeanSquaredError,
    RSquared,
)
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Losses, Values
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task, one_value_per_sample


class Regression(Task[Values]):
    """One number per sample."""

    name = "regression"
    metrics = (MeanAbsoluteError(), RootMeanSquaredError(), RSquared(), MeanDeviation())

    examined_metrics = (WeakSliceCount(), HurtSliceCount())

    def losses(self, samples: Values) -> Losses:
        """Distance from the truth."""
        return Losses(
            np.abs(samples.errors), "the mean absolute error", unit="label", right_or_wrong=False
        )

    def decode(
        self,
        predictions: Predictions,
        settings: EvaluationSettings,  # noqa: ARG002 - nothing to choose
    ) -> Values:
        """Answers beside true values, both in float64."""
        predicted = one_value_per_sample(predictions, task=self.name)
        numeric = np.issubdtype(predictions.labels.dtype, np.number)
        labels = predictions.labels.astype(np.float64) if numeric else np.full(1, np.nan)
        if not np.isfinite(labels).all():
            sample = int(np.argmin(np.isfinite(labels)))
            raise DatasetError(
                "a label does not fit the task regression",
                where=f"sample {sample}",
                expected="a finite number",
                found=str(predictions.labels[sample]),
                next_step="Correct the label or leave the sample out",
            )
        return Values(labels, predicted)
