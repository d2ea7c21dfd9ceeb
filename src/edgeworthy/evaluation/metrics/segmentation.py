"""How much of each class's area is right.

Areas are summed over all images before they are divided; the interval is over images.
"""

from __future__ import annotations

import abc
import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import resampled_estimates, rule_of_three
from edgeworthy.evaluation.samples import SegmentedImages
from edgeworthy.statistics.resampling import Statistic


class _Areas(Metric[SegmentedImages]):
    """A figure of areas."""

    @abc.abstractmethod
    def statistic(self, samples: SegmentedImages) -> Statistic:
        """The figure as a function of the images' weights."""

    def estimates(
        self,
        subject: SegmentedImages,
        original: SegmentedImages,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The figure with a bootstrap interval."""
        return self._resampled(self.statistic(subject), len(subject), plan, "", 0.0)

    def drops(
        self, subject: SegmentedImages, original: SegmentedImages, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's figure minus the subject's, on the same images."""
        before, after = self.statistic(original), self.statistic(subject)
        return self._resampled(
            lambda weights: before(weights) - after(weights), len(subject), plan, " drop", -1.0
        )

    def _resampled(
        self, statistic: Statistic, n: int, plan: IntervalPlan, purpose: str, lowest: float
    ) -> tuple[Estimate, ...]:
        return resampled_estimates(
            statistic,
            np.ones(n, dtype=np.int64),
            plan=plan,
            purpose=f"{self.definition.name}{purpose}",
            floor=dataclasses.replace(rule_of_three(n), only_for_points=True),
            unit_and_range=("ratio", lowest, 1.0),
        )


class MeanIou(_Areas):
    """Mean over classes of the area that is right over the area that is true or predicted.

    Over the classes that occur among the labels.
    """

    definition = MetricDefinition(
        name="mean_iou",
        unit="ratio",
        higher_is_better=True,
        title="Mean intersection over union",
        source="Everingham et al., IJCV 88 (2010): Jaccard per class; interval: Efron 1987, images",
    )

    def statistic(self, samples: SegmentedImages) -> Statistic:
        """Mean overlap."""

        def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            right, true = weights @ samples.right, weights @ samples.labels
            union = true + weights @ samples.predicted - right
            occurring = true > 0
            overlap = np.divide(right, union, out=np.zeros_like(right), where=occurring)
            counted = occurring.sum(axis=1)
            undefined = np.full(len(weights), np.nan)
            np.divide(overlap.sum(axis=1), counted, out=undefined, where=counted > 0)
            return undefined

        return statistic


class PixelAccuracy(_Areas):
    """Share of judged pixels whose class is right."""

    definition = MetricDefinition(
        name="pixel_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Pixel accuracy",
        source="share of right pixels; interval: Efron 1987, images",
    )

    def statistic(self, samples: SegmentedImages) -> Statistic:
        """Share of right pixels."""
        right, every = (areas.sum(axis=1) for areas in (samples.right, samples.labels))

        def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            total = weights @ every
            undefined = np.full(len(weights), np.nan)
            np.divide(weights @ right, total, out=undefined, where=total > 0)
            return undefined

        return statistic
