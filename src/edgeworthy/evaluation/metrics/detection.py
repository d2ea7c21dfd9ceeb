"""COCO's average precision of boxes, with an interval over images.

Rules:

1. Per class and overlap: boxes of all images by falling score, precision made falling from the
   right, read at the 101 recalls 0.00 to 1.00. The mean is over the classes that have a true box,
   and over the overlaps.
2. What is left out is images, with all their boxes: those of one image are not independent.
3. Precision that is made falling is too high for few images, by a quarter of an interval's arm.
   The interval holds the figure with that bias and without it.
4. Two detectors differ in few boxes, which may be in none of the images. The high end of a drop is
   at least what an unseen kind of image would cost on which the version finds nothing. The low end
   says what is lost at least, and does not allow for a kind that is gained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import rule_of_three
from edgeworthy.evaluation.samples import Detections
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife, half_sample_bias
from edgeworthy.statistics.replicates import clipped
from edgeworthy.statistics.resampling import Statistic

RECALLS = np.linspace(0.0, 1.0, 101)
_FEWEST_IMAGES = 2
# Images are left out one by one up to so many, then in groups.
_MOST_BLOCKS = 200
# With more, the bias is below a twentieth of an arm.
_MOST_BIASED = 2_000
# Detectors that find next to nothing can still differ by as much.
_LEAST_LOST = 0.25
_SOURCE = "Lin et al., ECCV 2014 (COCO), as pycocotools computes it; interval: Hall 1992, images"


class _AveragePrecision(Metric[Detections]):
    """Mean over classes, at some overlaps."""

    overlaps: ClassVar[Sequence[int]]

    def estimates(
        self,
        subject: Detections,
        original: Detections,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The mean with a jackknifed interval."""
        found = self._jackknifed(_statistic(subject, self.overlaps), subject, plan, "")
        floor = dataclasses.replace(rule_of_three(len(subject)), only_for_points=True)
        return tuple(
            clipped(
                floor.applied(found.skewed_interval(confidence=level, unit="ratio")),
                smallest=0.0,
                largest=1.0,
            )
            for level in plan.confidences
            if found is not None
        )

    def drops(
        self, subject: Detections, original: Detections, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's mean minus the subject's, on the same images."""
        before, after = (_statistic(each, self.overlaps) for each in (original, subject))
        found = self._jackknifed(
            lambda weights: before(weights) - after(weights), subject, plan, " drop"
        )
        if found is None:
            return ()
        ones = np.ones((1, len(subject)))
        lost = max(float(before(ones)[0]), float(after(ones)[0]), _LEAST_LOST)
        unseen = rule_of_three(len(subject), effect=lost)
        alike = np.array_equal(subject.hits, original.hits)
        floor = unseen if alike else dataclasses.replace(unseen, below=lambda _: 0.0)
        return tuple(
            clipped(
                floor.applied(found.skewed_interval(confidence=level, unit="ratio")),
                smallest=-1.0,
                largest=1.0,
            )
            for level in plan.confidences
        )

    def _jackknifed(
        self, statistic: Statistic, subject: Detections, plan: IntervalPlan, purpose: str
    ) -> Jackknifed | None:
        """How much the figure varies; None without a true box."""
        if not (subject.labels[..., 0] >= 0).any():
            return None
        n = len(subject)
        if n < _FEWEST_IMAGES:
            value = float(statistic(np.ones((1, n)))[0])
            return Jackknifed(value=value, error=0.0, blocks=_FEWEST_IMAGES, n=n)
        seed = plan.seed_of(f"{self.definition.name}{purpose}")
        ones = np.ones(n, dtype=np.int64)
        found = block_jackknife(statistic, ones, seed=seed, blocks=_MOST_BLOCKS)
        if n > _MOST_BIASED:
            return found
        return dataclasses.replace(found, bias=half_sample_bias(statistic, n, seed=seed))


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

    def precision(
        self, weights: NDArray[np.float64], overlaps: Sequence[int]
    ) -> NDArray[np.float64]:
        """Average precision ``(r,)`` for weights of images ``(r, n)``; NaN without a true box.

        Recall grows, and precision is highest, at boxes that hit: no others are looked at.
        """
        total = weights @ self.truth
        counted = weights[:, self.image]
        every = np.cumsum(counted, axis=1)
        found = np.zeros(len(weights))
        for overlap in overlaps:
            hit = self.hits[:, overlap]
            right = np.cumsum(counted[:, hit], axis=1)
            precision = _divided(right, every[:, hit])
            falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            passed = np.searchsorted(RECALLS, _divided(right, total[:, None]), side="right")
            found += (falling * np.diff(passed, axis=1, prepend=0)).sum(axis=1)
        return np.where(total > 0, found / (len(RECALLS) * len(overlaps)), np.nan)


def _statistic(samples: Detections, overlaps: Sequence[int]) -> Statistic:
    classes = np.unique(samples.labels[..., 0])
    ranked = [_Ranked(samples, int(each)) for each in classes if each >= 0]

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.stack([each.precision(weights, overlaps) for each in ranked])
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
