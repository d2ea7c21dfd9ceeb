"""Balanced accuracy: the mean over classes of the share that is recognized.

Each class has an interval of its own (Wilson's for the value, Tango's for the drop); their mean
has the arms added as squares. No resampling, and no interval that shrinks to a point when a small
class happens to be all right.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.shares import agreement_table
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.proportions import mean_of_independent, paired_difference, wilson


class BalancedAccuracy(Metric[Decisions]):
    """Mean recall over the classes that occur among the labels."""

    definition = MetricDefinition(
        name="balanced_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Balanced accuracy",
        source="Brodersen et al., ICPR 2010; interval: Zou, Huang and Zhang 2009 over Wilson 1927",
    )

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Mean recall with the arms of the classes' intervals."""
        counts = [
            (int(np.count_nonzero(subject.right[members])), len(members))
            for members in _classes(subject.labels)
        ]
        return tuple(
            mean_of_independent([wilson(right, n, confidence=level) for right, n in counts])
            for level in plan.confidences
        )

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's mean recall minus the subject's."""
        tables = [
            agreement_table(original.right[members], subject.right[members])
            for members in _classes(subject.labels)
        ]
        return tuple(
            mean_of_independent([paired_difference(*table, confidence=level) for table in tables])
            for level in plan.confidences
        )


def _classes(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions of the samples of each class that occurs."""
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    return iter(np.split(order, starts[1:]))
