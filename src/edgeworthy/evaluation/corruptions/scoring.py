"""What a task's answers under corruption count for: one score per sample and condition.

Rules:

1. A score is a mean over samples or can be written as one, so that means over conditions keep the
   sample as the observation.
2. Tasks without such a score are not examined under corruptions: whether an embedding finds its
   like depends on all others.
3. Boxes and maps of pixels belong to places in the picture. For them only corruptions count that
   leave everything where it is.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.samples import (
    Decisions,
    Detections,
    Samples,
    Scores,
    SegmentedImages,
    Values,
)
from edgeworthy.evaluation.tasks.detection import Detection
from edgeworthy.evaluation.tasks.segmentation import Segmentation
from edgeworthy.statistics.clustered import (
    clustered_share,
    clustered_share_difference,
    student_mean,
)
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.ranking import placements
from edgeworthy.statistics.replicates import clipped
from edgeworthy.statistics.shares import share_interval

#: ``(conditions, n)``: a score of each sample under each condition.
ScoreTable = NDArray[np.float64]


class Scoring(abc.ABC):
    """How the answers of a task are scored.

    Attributes:
        metric: The task's metric whose mean this is.
        unit: Of the metric.
        higher_is_better: Its direction.
        needs_places: The truth says where in a picture something is (rule 3).
    """

    metric: ClassVar[str]
    unit: ClassVar[str] = "ratio"
    higher_is_better: ClassVar[bool] = True
    needs_places: ClassVar[bool] = False

    @abc.abstractmethod
    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """``(n,)``: what is kept of each answer."""

    def means(self, table: ScoreTable, labels: NDArray[np.int64]) -> NDArray[np.float64]:  # noqa: ARG002 - for scores that need the truth
        """``(n,)``: figures whose mean over samples is the metric's mean over conditions."""
        return np.asarray(table.mean(axis=0))

    def estimate(
        self, table: ScoreTable, labels: NDArray[np.int64], *, confidence: float
    ) -> Estimate | None:
        """The metric's mean over conditions; none where it is undefined."""
        return student_mean(self.means(table, labels), confidence=confidence, unit=self.unit)

    def drop(
        self,
        subject: ScoreTable,
        original: ScoreTable,
        labels: NDArray[np.int64],
        *,
        confidence: float,
    ) -> Estimate | None:
        """How much worse the subject's is, on the same samples under the same conditions."""
        return student_mean(
            self.losses(subject, original, labels), confidence=confidence, unit=self.unit
        )

    def losses(
        self, subject: ScoreTable, original: ScoreTable, labels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """``(n,)``: figures whose mean is the drop."""
        sign = 1.0 if self.higher_is_better else -1.0
        return np.asarray(sign * (self.means(original, labels) - self.means(subject, labels)))

    def errors(self, table: ScoreTable, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """``(n,)``: figures whose mean is the error: what is missing to perfect."""
        means = self.means(table, labels)
        return np.asarray(1.0 - means) if self.higher_is_better else means


class RightAnswers(Scoring):
    """Classification: 1 for a right answer."""

    metric = "accuracy"

    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """Right or wrong."""
        if not isinstance(samples, Decisions):
            raise TypeError("classification has decisions")
        return samples.right.astype(np.float64)

    def estimate(
        self,
        table: ScoreTable,
        labels: NDArray[np.int64],  # noqa: ARG002 - in the scores already
        *,
        confidence: float,
    ) -> Estimate | None:
        """Blaker's interval; of several conditions Wilson's, at the effective sample size."""
        hits = table.astype(np.bool_)
        if len(hits) == 1:
            return share_interval(int(hits.sum()), hits.shape[1], confidence=confidence)
        return clustered_share(hits, confidence=confidence)

    def drop(
        self,
        subject: ScoreTable,
        original: ScoreTable,
        labels: NDArray[np.int64],  # noqa: ARG002 - in the scores already
        *,
        confidence: float,
    ) -> Estimate | None:
        """Tango's interval, at the effective sample size where there are several conditions."""
        before, after = original.astype(np.bool_), subject.astype(np.bool_)
        if len(before) > 1:
            return clustered_share_difference(before, after, confidence=confidence)
        return paired_difference(
            int((before & after).sum()),
            int((before & ~after).sum()),
            int((after & ~before).sum()),
            int((~before & ~after).sum()),
            confidence=confidence,
        )


class Distances(Scoring):
    """Regression: distance between answer and truth."""

    metric = "mean_absolute_error"
    unit = "label"
    higher_is_better = False

    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """Absolute errors."""
        if not isinstance(samples, Values):
            raise TypeError("regression has values")
        return np.abs(samples.errors)


class Ranks(Scoring):
    """Anomaly detection: the area under the ROC curve, as a mean of placements.

    Each sample counts by the share of the other kind that it is ranked right against, weighted so
    that the mean is the area and its variance that of DeLong, DeLong and Clarke-Pearson.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845.
    """

    metric = "auroc"

    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """The scores themselves."""
        if not isinstance(samples, Scores):
            raise TypeError("anomaly detection has scores")
        return samples.scores

    def means(self, table: ScoreTable, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weighted placements, averaged over conditions."""
        positive = labels == 1
        weights = np.where(positive, positive.mean(), (~positive).mean())
        total = np.zeros(len(labels))
        for scores in table:
            up, down = placements(scores, positive)
            placed = np.empty(len(labels))
            placed[positive], placed[~positive] = up, down
            area = up.mean()
            total += area + (placed - area) / (2 * weights)
        return total / len(table)

    def estimate(
        self, table: ScoreTable, labels: NDArray[np.int64], *, confidence: float
    ) -> Estimate | None:
        """Student's interval within the possible range; none with samples of one kind only."""
        if len(np.unique(labels)) == 1:
            return None
        found = super().estimate(table, labels, confidence=confidence)
        return None if found is None else clipped(found, smallest=0.0, largest=1.0)

    def drop(
        self,
        subject: ScoreTable,
        original: ScoreTable,
        labels: NDArray[np.int64],
        *,
        confidence: float,
    ) -> Estimate | None:
        """Student's interval of the paired placements; none with samples of one kind only."""
        if len(np.unique(labels)) == 1:
            return None
        return super().drop(subject, original, labels, confidence=confidence)


class Boxes(Scoring):
    """Detection: F1 of the boxes of an image with a score of at least 0.5, overlapping by half."""

    metric = "image_f1"
    needs_places = True

    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """F1 per image."""
        if not isinstance(samples, Detections):
            raise TypeError("detection has boxes")
        return 1.0 - _DETECTION.losses(samples).values


class Overlaps(Scoring):
    """Segmentation: mean overlap of the classes that an image shows."""

    metric = "image_overlap"
    needs_places = True

    def scores(self, samples: Samples) -> NDArray[np.float64]:
        """Mean overlap per image."""
        if not isinstance(samples, SegmentedImages):
            raise TypeError("segmentation has areas")
        return 1.0 - _SEGMENTATION.losses(samples).values


_DETECTION, _SEGMENTATION = Detection(), Segmentation()
_SCORINGS: dict[str, Scoring] = {
    "classification": RightAnswers(),
    "regression": Distances(),
    "anomaly": Ranks(),
    "detection": Boxes(),
    "segmentation": Overlaps(),
}
#: Errors under corruption over the original's errors under the same corruptions.
RELATIVE_ERROR = "relative_corruption_error"


def scoring_of(task: str) -> Scoring | None:
    """How a task is scored; none where rule 2 says so."""
    return _SCORINGS.get(task)


def corruption_metrics(task: str) -> tuple[str, ...]:
    """Names of the metrics of a task under corruption, as a requirement asks for them.

    >>> corruption_metrics("classification")
    ('corruption_accuracy', 'relative_corruption_error')
    """
    scoring = scoring_of(task)
    return () if scoring is None else (f"corruption_{scoring.metric}", RELATIVE_ERROR)
