"""What a task is: how raw outputs are read, and which metrics then have a meaning.

Rules:

1. ``decode`` is the only code that looks at raw outputs. What does not fit is an error that names
   the shape or the first sample.
2. Everything after works on judged samples, which a slice can take a part of.
3. A task of another form (boxes, embeddings) is one file here, one kind of samples, its metrics,
   and one line in the registry.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Generic

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.evaluation import Flips, ReliabilityBin
from edgeworthy.documents.project import Task as TaskName
from edgeworthy.errors import DatasetError, ProjectFileError
from edgeworthy.evaluation.groups import GroupMetric
from edgeworthy.evaluation.metrics.base import ExaminedMetric, Metric, SamplesT
from edgeworthy.evaluation.parts import Part
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Losses
from edgeworthy.evaluation.settings import EvaluationSettings


class Task(abc.ABC, Generic[SamplesT]):
    """A kind of question that a model answers.

    Attributes:
        name: As in the project file.
        metrics: In the order of the report.
        group_metrics: What compares slices with each other.
        examined_metrics: What examinations add.
    """

    name: ClassVar[TaskName]
    metrics: Sequence[Metric[SamplesT]]
    group_metrics: Sequence[GroupMetric[SamplesT]] = ()
    examined_metrics: Sequence[Metric[SamplesT] | ExaminedMetric] = ()

    @property
    def every_metric(self) -> tuple[Metric[SamplesT] | GroupMetric[SamplesT] | ExaminedMetric, ...]:
        """All that a requirement can ask for, in the order of the report."""
        return (*self.metrics, *self.group_metrics, *self.examined_metrics)

    @abc.abstractmethod
    def decode(self, predictions: Predictions, settings: EvaluationSettings) -> SamplesT:
        """Read raw outputs.

        Raises:
            DatasetError: A label does not fit the task.
            ProjectFileError: The outputs do not fit the task.
        """

    @abc.abstractmethod
    def losses(self, samples: SamplesT) -> Losses:
        """How wrong each sample is."""

    def flips(
        self,
        subject: SamplesT,  # noqa: ARG002 - for tasks with classes
        original: SamplesT,  # noqa: ARG002 - the same
        slices: Sequence[Part],  # noqa: ARG002 - the same
    ) -> Flips | None:
        """Predictions that changed, in all and per slice; None where there are no classes."""
        return None

    def reliability(self, subject: SamplesT) -> tuple[ReliabilityBin, ...]:  # noqa: ARG002
        """Confidence against accuracy; empty where there is no confidence."""
        return ()

    def confusion(self, subject: SamplesT) -> tuple[tuple[int, ...], ...]:  # noqa: ARG002
        """Counts ``[true][predicted]``; empty where there are no classes."""
        return ()


def one_value_per_sample(predictions: Predictions, *, task: str) -> NDArray[np.float64]:
    """Outputs ``(n,)`` or ``(n, 1, ...)`` as ``(n,)``.

    Raises:
        ProjectFileError: There are more values per sample.
    """
    outputs = predictions.outputs
    if outputs.size != len(predictions):
        raise ProjectFileError(
            f"the output does not fit the task {task}",
            where="model.output",
            expected="one value per sample",
            found=f"shape {('n', *outputs.shape[1:])}".replace("'", ""),
            next_step="Choose another `output`, or another `task`, in [model]",
        )
    return outputs.reshape(len(predictions)).astype(np.float64)


def whole_labels(labels: NDArray[Any], *, count: int, task: str) -> NDArray[np.int64]:
    """Labels as class indices from 0 to ``count - 1``.

    Raises:
        DatasetError: A label is not a whole number, or out of range.
    """
    numeric = np.issubdtype(labels.dtype, np.number) or labels.dtype == np.bool_
    whole = labels.astype(np.int64) if numeric else np.zeros(len(labels), dtype=np.int64)
    fits = (whole == labels) & (whole >= 0) & (whole < count) if numeric else whole < 0
    if not fits.all():
        sample = int(np.argmin(fits))
        raise DatasetError(
            f"a label does not fit the task {task}",
            where=f"sample {sample}",
            expected=f"a whole number from 0 to {count - 1}",
            found=str(labels[sample]),
            next_step="Correct the label, or the list of `labels` in [model]",
        )
    return whole
