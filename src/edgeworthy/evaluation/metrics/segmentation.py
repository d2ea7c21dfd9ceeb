"""How much of each class's area is right.

Rules:

1. Areas are summed over all images before they are divided; the interval is over images.
2. A figure's interval is the jackknife's on the scale of log-odds, a drop's corrected for the few
   images that make most of it: with ten images the bootstrap covers 91 to 93 % of either.
"""

from __future__ import annotations

import abc
import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, rule_of_three
from edgeworthy.evaluation.samples import SegmentedImages
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife
from edgeworthy.statistics.replicates import clipped
from edgeworthy.statistics.resampling import Statistic

_FEWEST_IMAGES = 2
# Images are left out one by one up to so many, then in groups.
_MOST_BLOCKS = 400


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
        """The figure with a jackknifed interval."""
        found = self._jackknifed(self.statistic(subject), len(subject), plan, "")
        return tuple(
            clipped(
                _floor(found.n).applied(found.logit_interval(confidence=level, unit="ratio")),
                smallest=0.0,
                largest=1.0,
            )
            for level in plan.confidences
            if np.isfinite(found.value)
        )

    def drops(
        self, subject: SegmentedImages, original: SegmentedImages, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's figure minus the subject's, on the same images."""
        before, after = self.statistic(original), self.statistic(subject)
        found = self._jackknifed(
            lambda weights: before(weights) - after(weights), len(subject), plan, " drop"
        )
        return tuple(
            clipped(
                _floor(found.n).applied(found.skewed_interval(confidence=level, unit="ratio")),
                smallest=-1.0,
                largest=1.0,
            )
            for level in plan.confidences
            if np.isfinite(found.value)
        )

    def _jackknifed(
        self, statistic: Statistic, n: int, plan: IntervalPlan, purpose: str
    ) -> Jackknifed:
        ones = np.ones(n, dtype=np.int64)
        if n < _FEWEST_IMAGES:
            value = float(statistic(ones[None, :].astype(np.float64))[0])
            return Jackknifed(value=value, error=0.0, blocks=_FEWEST_IMAGES, n=n)
        seed = plan.seed_of(f"{self.definition.name}{purpose}")
        return block_jackknife(statistic, ones, seed=seed, blocks=_MOST_BLOCKS)


def _floor(n: int) -> Floor:
    return dataclasses.replace(rule_of_three(n), only_for_points=True)


class MeanIou(_Areas):
    """Mean over classes of the area that is right over the area that is true or predicted.

    Over the classes that occur among the labels.
    """

    definition = MetricDefinition(
        name="mean_iou",
        unit="ratio",
        higher_is_better=True,
        title="Mean intersection over union",
        source="Everingham et al., IJCV 88 (2010): Jaccard per class; interval: jackknife, images",
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
        source="share of right pixels; interval: jackknife over images",
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
