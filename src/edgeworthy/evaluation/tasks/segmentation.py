"""Segmentation: a class per pixel.

Rules:

1. Pixels whose label is 255 count for nothing.
2. An image is one sample: its pixels are not independent, so images are what is resampled.
"""

from __future__ import annotations

import numpy as np

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.metrics.found import HurtSliceCount, WeakSliceCount
from edgeworthy.evaluation.metrics.segmentation import MeanIou, PixelAccuracy
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Losses, SegmentedImages
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task

#: The label of pixels that nobody judges.
IGNORED = 255


class Segmentation(Task[SegmentedImages]):
    """A class per pixel."""

    name = "segmentation"
    metrics = (MeanIou(), PixelAccuracy())
    examined_metrics = (WeakSliceCount(), HurtSliceCount())

    def decode(self, predictions: Predictions, settings: EvaluationSettings) -> SegmentedImages:
        """Areas per image and class."""
        truth, answers = predictions.labels, predictions.outputs
        if truth.shape != answers.shape or truth.ndim != 3:  # noqa: PLR2004 - n, h, w
            raise DatasetError(
                "the labels and the output are not of one size",
                expected=f"labels of shape {answers.shape}",
                found=f"shape {truth.shape}",
                next_step="Store labels in the size of the model's output",
            )
        judged = truth != IGNORED
        highest = max(int(answers.max()), int(truth[judged].max(initial=0)))
        count = max(settings.label_count, highest + 1)
        areas = np.zeros((3, len(truth), count), dtype=np.int64)
        for image in range(len(truth)):
            true = truth[image][judged[image]].astype(np.int64)
            said = answers[image][judged[image]].astype(np.int64)
            for row, values in enumerate((true[true == said], true, said)):
                areas[row, image] = np.bincount(values, minlength=count)
        return SegmentedImages(labels=areas[1], right=areas[0], predicted=areas[2])

    def losses(self, samples: SegmentedImages) -> Losses:
        """1 minus the mean overlap of the classes that an image shows."""
        union = samples.labels + samples.predicted - samples.right
        shown = samples.labels > 0
        overlap = np.divide(
            samples.right, union, out=np.zeros(union.shape), where=shown & (union > 0)
        )
        classes = shown.sum(axis=1)
        losses = 1.0 - np.divide(
            overlap.sum(axis=1), classes, out=np.ones(len(samples)), where=classes > 0
        )
        return Losses(losses, "1 minus the mean overlap in an image", right_or_wrong=False)
