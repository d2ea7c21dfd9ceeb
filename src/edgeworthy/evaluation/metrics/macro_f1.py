"""Macro F1: the mean over classes of the harmonic mean of precision and recall.

The bootstrap resamples the table of (true, predicted) classes, so its cost depends on the number
of classes and not on the number of samples. Its arms are at least those of balanced accuracy:
near a perfect table one more mistake costs both the same, and the bootstrap cannot see a mistake
that has not happened yet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.balanced import BalancedAccuracy
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, Grouping, resampled_estimates
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.resampling import Statistic


class MacroF1(Metric[Decisions]):
    """Mean F1 over the classes that occur among the labels.

    scikit-learn's ``f1_score(average="macro", labels=unique(labels))``. Its default also averages
    over classes that were only predicted, which makes the figure of a slice with one class
    meaningless.
    """

    definition = MetricDefinition(
        name="macro_f1",
        unit="ratio",
        higher_is_better=True,
        title="Macro F1",
        source="Sokolova and Lapalme, IPM 45 (2009); interval: Efron 1987 (BCa)",
    )
    _balanced = BalancedAccuracy()

    def estimates(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Macro F1 with a bootstrap interval."""
        cells, counts = np.unique(
            np.stack([subject.labels, subject.predicted]), axis=1, return_counts=True
        )
        return resampled_estimates(
            _macro_f1(cells[0], cells[1], subject.class_count),
            counts,
            plan=plan,
            purpose="macro_f1",
            floor=_floor(self._balanced.estimates(subject, original, plan)),
            unit_and_range=("ratio", 0.0, 1.0),
        )

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's macro F1 minus the subject's, resampled together."""
        table = np.stack([subject.labels, original.predicted, subject.predicted])
        cells, counts = np.unique(table, axis=1, return_counts=True)
        before = _macro_f1(cells[0], cells[1], subject.class_count)
        after = _macro_f1(cells[0], cells[2], subject.class_count)
        return resampled_estimates(
            lambda weights: before(weights) - after(weights),
            counts,
            plan=plan,
            purpose="macro_f1 drop",
            floor=_floor(self._balanced.drops(subject, original, plan)),
            unit_and_range=("ratio", -1.0, 1.0),
        )


def _macro_f1(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], class_count: int
) -> Statistic:
    by_label = Grouping(labels, class_count)
    by_prediction = Grouping(predicted, class_count)
    right = (labels == predicted).astype(np.float64)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        true = by_label.sums(weights)
        doubled = 2.0 * by_label.sums(weights * right)
        total = true + by_prediction.sums(weights)
        scores = np.divide(doubled, total, out=np.zeros_like(total), where=total > 0)
        occurring = true > 0
        return np.asarray((scores * occurring).sum(axis=1) / occurring.sum(axis=1))

    return statistic


def _floor(balanced: Sequence[Estimate]) -> Floor:
    arms = {e.confidence: (e.value - e.low, e.high - e.value) for e in balanced}
    return Floor(lambda level: arms[level][0], lambda level: arms[level][1], balanced[0].method)
