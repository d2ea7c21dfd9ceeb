"""Metrics that are the share of samples with a property: accuracy, and top-5 accuracy.

The value has Blaker's interval; the drop is the difference of two paired shares.
"""

from __future__ import annotations

import abc

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.shares import share_interval


class ShareMetric(Metric[Decisions]):
    """The share of samples that hit."""

    @abc.abstractmethod
    def hits(self, samples: Decisions) -> NDArray[np.bool_]:
        """``(n,)``: which samples hit."""

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - a share needs nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval."""
        hits = int(np.count_nonzero(self.hits(subject)))
        return tuple(
            share_interval(hits, len(subject), confidence=level) for level in plan.confidences
        )

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's share minus the subject's, on the same samples."""
        table = agreement_table(self.hits(original), self.hits(subject))
        return tuple(paired_difference(*table, confidence=level) for level in plan.confidences)


def agreement_table(
    first: NDArray[np.bool_], second: NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    """Samples with a property in both, in the first only, in the second only, in neither.

    >>> agreement_table(np.array([True, True, False]), np.array([True, False, False]))
    (1, 1, 0, 1)
    """
    counts = np.bincount(2 * (~first).astype(np.int64) + ~second, minlength=4)
    return int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3])


class Accuracy(ShareMetric):
    """Share of samples whose predicted class is the true one."""

    definition = MetricDefinition(
        name="accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Accuracy",
        source="share of right decisions; interval: Blaker 2000; drop: Tango 1998",
    )

    def hits(self, samples: Decisions) -> NDArray[np.bool_]:
        """Right decisions."""
        return samples.right


class TopFiveAccuracy(ShareMetric):
    """Share of samples whose true class is among the five with the highest scores.

    Left out for up to five classes, where it is always 1. Among equal scores the class that comes
    first counts as higher, as for the decision itself.
    """

    definition = MetricDefinition(
        name="top_5_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Top-5 accuracy",
        source="Russakovsky et al., IJCV 115 (2015); interval: Blaker 2000; drop: Tango 1998",
    )
    _CUT = 5

    def hits(self, samples: Decisions) -> NDArray[np.bool_]:
        """Samples whose true class is among the first five."""
        return np.asarray(samples.rank < self._CUT)

    def estimates(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval; none for up to five classes."""
        if subject.class_count <= self._CUT:
            return ()
        return super().estimates(subject, original, plan)

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Paired difference; none for up to five classes."""
        if subject.class_count <= self._CUT:
            return ()
        return super().drops(subject, original, plan)
