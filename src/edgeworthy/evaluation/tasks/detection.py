"""Detection: boxes with a score and a class, against true boxes.

Rules:

1. Matching is COCO's: per image and class, boxes by falling score take the unmatched true box that
   they overlap most, if by at least the threshold; ten thresholds, 0.50 to 0.95.
2. True boxes are ``(n, k, 5)``: class, x1, y1, x2, y2; empty places have class -1. There are no
   crowds, and boxes of all sizes count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.metrics.detection import (
    AveragePrecision50,
    AveragePrecision75,
    MeanAveragePrecision,
)
from edgeworthy.evaluation.metrics.found import HurtSliceCount, WeakSliceCount
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Detections, Losses
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task

#: Overlaps at which a box counts as found.
THRESHOLDS = np.linspace(0.5, 0.95, 10)
# As COCO's reference does: an overlap of exactly 1 may be a little less in floating point.
_ALMOST_ONE = 1.0 - 1e-10
_SURE = 0.5
_LABEL_WIDTH = 5


class Detection(Task[Detections]):
    """Boxes."""

    name = "detection"
    metrics = (MeanAveragePrecision(), AveragePrecision50(), AveragePrecision75())
    examined_metrics = (WeakSliceCount(), HurtSliceCount())

    def decode(self, predictions: Predictions, settings: EvaluationSettings) -> Detections:
        """Boxes with what they hit."""
        truth = predictions.labels
        if truth.ndim != 3 or truth.shape[2] != _LABEL_WIDTH:  # noqa: PLR2004 - n, k, 5
            raise DatasetError(
                "the labels do not fit the task detection",
                expected="shape (n, k, 5): class, x1, y1, x2, y2",
                found=f"shape {truth.shape}",
            )
        answers = predictions.outputs
        hits = np.zeros((*answers.shape[:2], len(THRESHOLDS)), dtype=np.bool_)
        for image in range(len(truth)):
            for each in np.unique(answers[image, :, 5]):
                if each >= 0:
                    mine = np.flatnonzero(answers[image, :, 5] == each)
                    boxes = truth[image][truth[image, :, 0] == each, 1:]
                    hits[image, mine] = _hits(answers[image, mine, :4], boxes)
        return Detections(
            labels=truth,
            scores=answers[..., 4],
            classes=answers[..., 5].astype(np.int64),
            hits=hits,
            class_count=settings.label_count or int(max(truth[..., 0].max(), 0)) + 1,
        )

    def losses(self, samples: Detections) -> Losses:
        """1 minus F1 of the boxes with a score of at least 0.5, overlapping by half."""
        sure = (samples.classes >= 0) & (samples.scores >= _SURE)
        right = (sure & samples.hits[..., 0]).sum(axis=1)
        both = sure.sum(axis=1) + (samples.labels[..., 0] >= 0).sum(axis=1)
        losses = 1.0 - np.divide(2.0 * right, both, out=np.ones(len(samples)), where=both > 0)
        return Losses(losses, "1 minus the mean F1 of an image", right_or_wrong=False)


def _hits(answers: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``(d, 10)``: whether each box, by falling score, takes a true box."""
    hits = np.zeros((len(answers), len(THRESHOLDS)), dtype=np.bool_)
    if not len(truth):
        return hits
    overlaps = overlaps_of(answers, truth)
    least = np.minimum(THRESHOLDS, _ALMOST_ONE)
    columns = np.arange(len(THRESHOLDS))
    free = np.ones((len(THRESHOLDS), len(truth)), dtype=np.bool_)
    for row in range(len(answers)):
        candidates = np.where(free, overlaps[row], -1.0)
        # The last among equals, as COCO's loop leaves it.
        best = len(truth) - 1 - np.argmax(candidates[:, ::-1], axis=1)
        hits[row] = candidates[columns, best] >= least
        free[columns[hits[row]], best[hits[row]]] = False
    return hits


def overlaps_of(answers: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes ``(d, 4)`` and ``(k, 4)``, as ``(d, k)``.

    >>> overlaps_of(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])).round(3)
    array([[0.333]])
    """
    low = np.maximum(answers[:, None, :2], truth[None, :, :2])
    high = np.minimum(answers[:, None, 2:], truth[None, :, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (answers, truth)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    found: NDArray[np.float64] = np.zeros(shared.shape)
    np.divide(shared, union, out=found, where=union > 0)
    return found
