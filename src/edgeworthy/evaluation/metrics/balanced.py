"""Metrics that count every class alike, however rare: balanced accuracy and macro F1.

Rules:

1. The mean is over the classes that occur among the labels; in a resample, over those that it
   holds.
2. The bootstrap resamples the table of (true, predicted) classes, so that its cost depends on the
   number of classes and not on the number of samples.
3. The bootstrap cannot see a mistake that has not happened yet. The arms are at least what a kind
   of sample could do that is missing from the rarest class; those of a drop, from the rarest class
   in which the two models agree on every sample.
4. A drop is widened as Student's t asks for as many samples as the rarest class has, or for 20.
"""

from __future__ import annotations

import abc
import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import (
    Floor,
    Grouping,
    resampled_estimates,
    rule_of_three,
)
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.resampling import Statistic

# The widening of rule 4 stops here.
_FEW = 20


class _ClassMean(Metric[Decisions]):
    """The mean over classes of a figure of the table of (true, predicted) classes."""

    @abc.abstractmethod
    def per_class(
        self,
        right: NDArray[np.float64],
        true: NDArray[np.float64],
        predicted: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Figure of each class from its weights, all ``(r, classes)``; 0 / 0 is 0."""

    def told_apart(self, samples: Decisions) -> NDArray[np.int64]:
        """Predicted classes as far as the figure tells them apart; fewer make it cheaper."""
        return samples.predicted

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Mean over classes with a bootstrap interval."""
        table = np.stack([subject.labels, self.told_apart(subject)])
        cells, counts = np.unique(table, axis=1, return_counts=True)
        return resampled_estimates(
            self._statistic(cells[0], cells[1], subject.class_count),
            counts,
            plan=plan,
            purpose=self.definition.name,
            floor=_floor(subject.labels),
            unit_and_range=("ratio", 0.0, 1.0),
        )

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's mean minus the subject's, resampled together."""
        predicted = self.told_apart(original), self.told_apart(subject)
        table = np.stack([subject.labels, *predicted])
        cells, counts = np.unique(table, axis=1, return_counts=True)
        before = self._statistic(cells[0], cells[1], subject.class_count)
        after = self._statistic(cells[0], cells[2], subject.class_count)
        return resampled_estimates(
            lambda weights: before(weights) - after(weights),
            counts,
            plan=plan,
            purpose=f"{self.definition.name} drop",
            floor=_drop_floor(subject.labels, predicted[0] != predicted[1]),
            unit_and_range=("ratio", -1.0, 1.0),
        )

    def _statistic(
        self, labels: NDArray[np.int64], predicted: NDArray[np.int64], class_count: int
    ) -> Statistic:
        by_label = Grouping(labels, class_count)
        by_prediction = Grouping(predicted, class_count)
        right = (labels == predicted).astype(np.float64)

        def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            true = by_label.sums(weights)
            scores = self.per_class(
                by_label.sums(weights * right), true, by_prediction.sums(weights)
            )
            occurring = true > 0
            return np.asarray((scores * occurring).sum(axis=1) / occurring.sum(axis=1))

        return statistic


class BalancedAccuracy(_ClassMean):
    """Mean over classes of the share that is recognized (recall)."""

    definition = MetricDefinition(
        name="balanced_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Balanced accuracy",
        source="Brodersen et al., ICPR 2010; interval: Efron 1987 (BCa)",
    )

    def per_class(
        self,
        right: NDArray[np.float64],
        true: NDArray[np.float64],
        predicted: NDArray[np.float64],  # noqa: ARG002 - recall does not ask
    ) -> NDArray[np.float64]:
        """Recall."""
        return np.divide(right, true, out=np.zeros_like(true), where=true > 0)

    def told_apart(self, samples: Decisions) -> NDArray[np.int64]:
        """Right, or any other class."""
        other = (samples.labels + 1) % samples.class_count
        return np.where(samples.right, samples.labels, other)


class MacroF1(_ClassMean):
    """Mean over classes of the harmonic mean of precision and recall.

    scikit-learn's ``f1_score(average="macro", labels=unique(labels))``. Its default also averages
    over classes that were only predicted, which makes the figure of a slice with one class
    meaningless.
    """

    definition = MetricDefinition(
        name="macro_f1",
        unit="ratio",
        higher_is_better=True,
        title="Macro F1",
        source="Sokolova and Lapalme, IPM 45 (2009) 427-437; interval: Efron 1987 (BCa)",
    )

    def per_class(
        self,
        right: NDArray[np.float64],
        true: NDArray[np.float64],
        predicted: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """F1."""
        total = true + predicted
        return np.divide(2.0 * right, total, out=np.zeros_like(total), where=total > 0)


def _floor(labels: NDArray[np.int64]) -> Floor:
    """What an unseen kind of sample of the rarest class can do to a mean over classes."""
    sizes = np.bincount(labels)
    sizes = sizes[sizes > 0]
    return rule_of_three(int(sizes.min()), effect=1.0 / len(sizes))


def _drop_floor(labels: NDArray[np.int64], changed: NDArray[np.bool_]) -> Floor:
    """The same, of the rarest class in which nothing changed: of others a resample knows."""
    sizes = np.bincount(labels)
    scarce = min(max(int(sizes[sizes > 0].min()), _FEW), len(labels))
    alike = sizes[(sizes > 0) & (np.bincount(labels, changed, len(sizes)) == 0)]
    if alike.size == 0:
        return Floor(lambda _: 0.0, lambda _: 0.0, "rule-of-three", scarce_n=scarce)
    floor = rule_of_three(int(alike.min()), effect=1.0 / int(np.count_nonzero(sizes)))
    return dataclasses.replace(floor, scarce_n=scarce)
