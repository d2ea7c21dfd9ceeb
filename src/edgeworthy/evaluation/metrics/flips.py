"""What changed against the original: agreement, and flips for the worse and for the better.

Two models can be equally accurate and yet fail on different samples; whoever relied on a sample
that now fails sees only the loss.
"""

from __future__ import annotations

import numpy as np

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.shares import share_interval

_FLIP_SOURCE = "Yan et al., CVPR 2021 (arXiv 2011.09161); interval: Blaker 2000"


class Agreement(Metric[Decisions]):
    """Share of samples on which the predicted class is the original's, right or wrong."""

    definition = MetricDefinition(
        name="agreement",
        unit="ratio",
        higher_is_better=True,
        title="Agreement with the original",
        source="share of equal decisions; interval: Blaker 2000",
        needs_original=True,
    )

    def estimates(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval."""
        equal = int(np.count_nonzero(subject.predicted == original.predicted))
        return tuple(
            share_interval(equal, len(subject), confidence=level) for level in plan.confidences
        )


class NegativeFlipRatio(Metric[Decisions]):
    """Share of samples that the original gets right and this artefact gets wrong."""

    definition = MetricDefinition(
        name="negative_flip_ratio",
        unit="ratio",
        higher_is_better=False,
        title="Negative flips",
        source=_FLIP_SOURCE,
        needs_original=True,
    )

    def estimates(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval."""
        count = int(np.count_nonzero(original.right & ~subject.right))
        return _rare_share(count, len(subject), plan)


class PositiveFlipRatio(Metric[Decisions]):
    """Share of samples that the original gets wrong and this artefact gets right."""

    definition = MetricDefinition(
        name="positive_flip_ratio",
        unit="ratio",
        higher_is_better=True,
        title="Positive flips",
        source=_FLIP_SOURCE,
        needs_original=True,
    )

    def estimates(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval."""
        count = int(np.count_nonzero(~original.right & subject.right))
        return _rare_share(count, len(subject), plan)


def _rare_share(count: int, n: int, plan: IntervalPlan) -> tuple[Estimate, ...]:
    return tuple(share_interval(count, n, confidence=level) for level in plan.confidences)
