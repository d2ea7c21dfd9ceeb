"""How much surer a classifier is than it is right.

Rules:

1. The figure is a mean of confidence less a share of right answers. The share has the interval of a
   share, which stays honest where there was no mistake yet; the mean has Student's; the two are
   joined by their correlation.
2. The arms are at least Student's of the plain differences, which stay honest where there were one
   or two mistakes and the correlation is hardly known. Either alone covers 87 to 92 % somewhere.
3. A single sample has no interval and gives no figure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.shares import agreement_table
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.clustered import student_mean
from edgeworthy.statistics.pairing import correlation_of, joined_difference
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.replicates import clipped, widened
from edgeworthy.statistics.shares import share_interval


class Overconfidence(Metric[Decisions]):
    """Mean confidence minus accuracy: positive where the model is surer than it is right."""

    definition = MetricDefinition(
        name="overconfidence",
        unit="ratio",
        higher_is_better=False,
        title="Overconfidence",
        source="mean of confidence minus correctness; interval: Zou and Donner 2008, Blaker 2000",
    )

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Mean confidence less accuracy."""
        hits, n = int(subject.right.sum()), len(subject)
        return tuple(
            estimate
            for level in plan.confidences
            for estimate in _joined(
                (subject.confidence, subject.right.astype(np.float64)),
                share_interval(hits, n, confidence=level),
                1.0,
            )
        )

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """What the confidence gained less what the accuracy gained, on the same samples."""
        surer = subject.confidence - original.confidence
        better = subject.right.astype(np.float64) - original.right
        table = agreement_table(subject.right, original.right)
        return tuple(
            estimate
            for level in plan.confidences
            for estimate in _joined(
                (surer, better), paired_difference(*table, confidence=level), 2.0
            )
        )


def _joined(
    parts: tuple[NDArray[np.float64], NDArray[np.float64]], share: Estimate, largest: float
) -> tuple[Estimate, ...]:
    """Mean of the one part less the share that the other one is the mean of."""
    mean = student_mean(parts[0], confidence=share.confidence, unit="ratio")
    plain = student_mean(parts[0] - parts[1], confidence=share.confidence, unit="ratio")
    if mean is None or plain is None:
        return ()
    found = joined_difference(mean, share, correlation=correlation_of(*parts))
    arm = plain.high - plain.value
    wide = widened(found, below=arm, above=arm, floor="student-t")
    return (clipped(wide, smallest=-largest, largest=largest),)
