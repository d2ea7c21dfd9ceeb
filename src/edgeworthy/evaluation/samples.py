"""Outputs after a task has read them: what metrics work on.

Rules:

1. One array per property, ``(n, ...)`` each: a metric never sees a raw output.
2. ``take`` gives the same kind for any choice of samples: that is all a slice is.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Samples(abc.ABC):
    """Judged samples.

    Attributes:
        labels: ``(n, ...)``: the truth.
    """

    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> Self:
        """The samples at these positions."""
        chosen = {
            field.name: getattr(self, field.name)[indices]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, **chosen)


@dataclass(frozen=True, eq=False)
class Decisions(Samples):
    """A classifier's decisions.

    Attributes:
        labels: ``(n,)`` int64: true class.
        predicted: ``(n,)`` int64: class with the highest score, the first among equals.
        confidence: ``(n,)`` float64: probability of that class.
        rank: ``(n,)`` int64: classes that score above the true one; 0 when it is right.
        class_count: Number of classes.
    """

    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    rank: NDArray[np.int64]
    class_count: int

    @property
    def right(self) -> NDArray[np.bool_]:
        """``(n,)``: whether the decision is the true class."""
        return np.asarray(self.predicted == self.labels)


@dataclass(frozen=True, eq=False)
class Values(Samples):
    """A regressor's answers.

    Attributes:
        labels: ``(n,)`` float64: true value.
        predicted: ``(n,)`` float64: answer, in the unit of the label.
    """

    predicted: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """``(n,)``: answer minus truth."""
        return np.asarray(self.predicted - self.labels)


@dataclass(frozen=True, eq=False)
class Scores(Samples):
    """Anomaly scores.

    Attributes:
        labels: ``(n,)`` int64: 1 for anomalous, 0 for normal.
        scores: ``(n,)`` float64: higher is more anomalous.
        threshold: Score from which an alarm is raised; None where the project names none.
    """

    scores: NDArray[np.float64]
    threshold: float | None = None

    @property
    def alarms(self) -> NDArray[np.bool_]:
        """``(n,)``: which samples raise the alarm; none without a threshold."""
        least = np.inf if self.threshold is None else self.threshold
        return np.asarray(self.scores >= least)

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """``(n,)``: which samples are anomalous."""
        return np.asarray(self.labels == 1)

    @property
    def has_both_kinds(self) -> bool:
        """Whether there are anomalous and normal samples."""
        return 0 < int(self.anomalous.sum()) < len(self)


@dataclass(frozen=True, eq=False)
class Detections(Samples):
    """A detector's boxes, each with what it hit.

    Attributes:
        labels: ``(n, k, 5)``: class, x1, y1, x2, y2 of true boxes; class -1 where there is none.
        scores: ``(n, d)`` float64.
        classes: ``(n, d)`` int64: -1 where there is none.
        hits: ``(n, d, 10)``: whether the box takes a true one, by overlap.
        class_count: Number of classes.
    """

    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    hits: NDArray[np.bool_]
    class_count: int


@dataclass(frozen=True, eq=False)
class SegmentedImages(Samples):
    """Areas in pixels, per image and class.

    Attributes:
        labels: ``(n, classes)`` int64: true area.
        right: ``(n, classes)`` int64: true area that is recognized.
        predicted: ``(n, classes)`` int64: predicted area.
    """

    right: NDArray[np.int64]
    predicted: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Embeddings(Samples):
    """Vectors and their neighbors.

    Attributes:
        labels: ``(n,)`` int64: samples with the same belong together.
        vectors: ``(n, length)`` float64, each of length 1.
        nearest: ``(n,)`` int64: position of the nearest other sample.
        rank: ``(n,)`` int64: others that are nearer than the nearest of the same label; -1 where
            there is none.
    """

    vectors: NDArray[np.float64]
    nearest: NDArray[np.int64]
    rank: NDArray[np.int64]

    @property
    def queries(self) -> NDArray[np.bool_]:
        """``(n,)``: samples that some other one belongs to."""
        return np.asarray(self.rank >= 0)


@dataclass(frozen=True, eq=False)
class Losses:
    """How wrong each sample is, for a search that needs nothing else.

    Attributes:
        values: ``(n,)`` float64: larger is worse; 1 for wrong and 0 for right where answers are
            right or wrong.
        title: What their mean is called, for people; the accuracy where answers are right or wrong.
        unit: Of the values.
        right_or_wrong: Whether the values are 1 and 0.
    """

    values: NDArray[np.float64]
    title: str
    unit: str = "ratio"
    right_or_wrong: bool = True
