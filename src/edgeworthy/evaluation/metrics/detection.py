"""COCO's average precision of boxes, with an interval over images.

Rules:

1. Per class and overlap: boxes of all images by falling score, precision made falling from the
   right, read at the 101 recalls 0.00 to 1.00. The mean is over the classes that have a true box,
   and over the overlaps.
2. What is resampled is images, with all their boxes: those of one image are not independent.
3. Two detectors differ in few boxes, which may be in none of the images. The arms of a drop are at
   least what an unseen kind of image could do: the bootstrap alone covers 80 % of twenty images.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import resampled_estimates, rule_of_three
from edgeworthy.evaluation.samples import Detections
from edgeworthy.statistics.resampling import Statistic

RECALLS = np.linspace(0.0, 1.0, 101)
_SOURCE = "Lin et al., ECCV 2014 (COCO), as pycocotools computes it; interval: Efron 1987, images"


class _AveragePrecision(Metric[Detections]):
    """Mean over classes, at some overlaps."""

    overlaps: ClassVar[Sequence[int]]

    def estimates(
        self,
        subject: Detections,
        original: Detections,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The mean with a bootstrap interval."""
        return self._resampled(_statistic(subject, self.overlaps), subject, plan, "", (0.0, 1.0))

    def drops(
        self, subject: Detections, original: Detections, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's mean minus the subject's, on the same images."""
        before, after = (_statistic(each, self.overlaps) for each in (original, subject))
        return self._resampled(
            lambda weights: before(weights) - after(weights), subject, plan, " drop", (-1.0, 1.0)
        )

    def _resampled(
        self,
        statistic: Statistic,
        subject: Detections,
        plan: IntervalPlan,
        purpose: str,
        within: tuple[float, float],
    ) -> tuple[Estimate, ...]:
        if not (subject.labels[..., 0] >= 0).any():
            return ()
        return resampled_estimates(
            statistic,
            np.ones(len(subject), dtype=np.int64),
            plan=plan,
            purpose=f"{self.definition.name}{purpose}",
            floor=dataclasses.replace(rule_of_three(len(subject)), only_for_points=not purpose),
            unit_and_range=("ratio", *within),
        )


class MeanAveragePrecision(_AveragePrecision):
    """Average precision of boxes, mean over classes and over ten overlaps from 0.50 to 0.95."""

    overlaps = range(10)
    definition = MetricDefinition(
        name="mean_average_precision",
        unit="ratio",
        higher_is_better=True,
        title="Mean average precision",
        source=_SOURCE,
    )


class AveragePrecision50(_AveragePrecision):
    """Average precision of boxes that overlap by at least 0.50, mean over classes."""

    overlaps = (0,)
    definition = MetricDefinition(
        name="average_precision_50",
        unit="ratio",
        higher_is_better=True,
        title="Average precision at an overlap of 0.50",
        source=_SOURCE,
    )


class AveragePrecision75(_AveragePrecision):
    """Average precision of boxes that overlap by at least 0.75, mean over classes."""

    overlaps = (5,)
    definition = MetricDefinition(
        name="average_precision_75",
        unit="ratio",
        higher_is_better=True,
        title="Average precision at an overlap of 0.75",
        source=_SOURCE,
    )


class _Ranked:
    """The boxes of one class in all images, by falling score."""

    def __init__(self, samples: Detections, number: int) -> None:
        chosen = samples.classes == number
        image, _ = np.nonzero(chosen)
        order = np.argsort(-samples.scores[chosen], kind="stable")
        self.image = image[order]
        self.hits = samples.hits[chosen][order]
        self.truth = (samples.labels[..., 0] == number).sum(axis=1).astype(np.float64)

    def precision(self, weights: NDArray[np.float64], overlap: int) -> NDArray[np.float64]:
        """Average precision ``(r,)`` for weights of images ``(r, n)``; NaN without a true box."""
        total = weights @ self.truth
        counted = weights[:, self.image]
        right = np.cumsum(counted * self.hits[:, overlap], axis=1)
        every = np.cumsum(counted, axis=1)
        recall = _divided(right, total[:, None])
        precision = _divided(right, every)
        falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        passed = np.searchsorted(RECALLS, recall, side="right")
        steps = np.diff(passed, axis=1, prepend=0)
        found = (falling * steps).sum(axis=1) / len(RECALLS)
        return np.where(total > 0, found, np.nan)


def _statistic(samples: Detections, overlaps: Sequence[int]) -> Statistic:
    classes = np.unique(samples.labels[..., 0])
    ranked = [_Ranked(samples, int(each)) for each in classes if each >= 0]

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.stack(
            [np.mean([each.precision(weights, at) for at in overlaps], axis=0) for each in ranked]
        )
        known = ~np.isnan(found)
        counted = known.sum(axis=0)
        return _divided(np.where(known, found, 0.0).sum(axis=0), counted, otherwise=np.nan)

    return statistic


def _divided(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], otherwise: float = 0.0
) -> NDArray[np.float64]:
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    made = np.full(shape, otherwise)
    np.divide(numerator, denominator, out=made, where=denominator > 0)
    return made
