"""How a stored label becomes a class index or a figure.

Rules:

1. Text is a class name; if it is none, it may be an integer.
2. An integer is a class index, unless a class is itself named by an integer: then every integer
   is a name, so that ``labels = ["1", "2"]`` means the same in every format.
3. A label outside of the declared classes is an error that names the sample.
4. A detector's label is a table of true boxes, a segmenter's a picture of classes: arrays of
   figures, in the shapes that :mod:`edgeworthy.datasets.shaped_labels` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.reading import as_text, listed, nearest
from edgeworthy.datasets.shaped_labels import SHAPED_TASKS, shaped_labels
from edgeworthy.documents.dataset import DatasetSummary
from edgeworthy.errors import DatasetError, ProjectFileError

_ANOMALY_CLASSES = 2


class LabelReader:
    """Reads the labels of one data set.

    Args:
        declaration: Of the data set.

    Raises:
        ProjectFileError: An anomaly detector does not have exactly two labels.
    """

    def __init__(self, declaration: Declaration) -> None:
        self._task = declaration.task
        self._where = declaration.where
        self._names = declaration.class_names
        if self._task == "anomaly" and len(self._names) != _ANOMALY_CLASSES:
            raise ProjectFileError(
                "an anomaly detector knows two labels, normal first",
                expected="two names, or none for `normal` and `anomalous`",
                found=listed(self._names),
                where="model.labels",
                next_step="Write the two names, or leave `labels` out",
            )
        self._index_of = {name: index for index, name in enumerate(self._names)}
        self._only_names = any(_integer(name) is not None for name in self._names)

    def read(self, values: Sequence[object] | NDArray[Any], first: int) -> NDArray[Any]:
        """Labels of consecutive samples.

        Args:
            values: ``(n,)`` or ``(n, 1)`` stored labels.
            first: Index of the first of them in the set.

        Returns:
            ``(n,)``: int64 class indices, or float64 for regression; ``(n, ...)`` for boxes and
            pictures of classes.

        Raises:
            DatasetError: A label is missing, unknown, out of range or not a number.
        """
        if self._task in SHAPED_TASKS:
            return shaped_labels(values, self._task, len(self._names), self._where, first)
        array = self._one_per_sample(np.asarray(values))
        if self._task == "regression":
            return self._figures(array, first)
        if array.dtype.kind in "biu" and not self._only_names:
            indices = array.astype(np.int64)
        else:
            indices = np.array(
                [self._index(value, first + offset) for offset, value in enumerate(array)],
                dtype=np.int64,
            )
        self.check_range(indices, first)
        return indices

    def check_range(self, indices: NDArray[Any], first: int) -> None:
        """Refuse class indices that the model does not know."""
        if self._task in SHAPED_TASKS:
            return
        limit = len(self._names) or None
        wrong = (indices < 0) | (indices >= limit if limit else np.False_)
        if self._task == "regression" or not wrong.any():
            return
        offset = int(np.argmax(wrong))
        raise DatasetError(
            "label out of range",
            expected=f"0 to {limit - 1} ({limit} labels)" if limit else "0 or more",
            found=str(indices[offset]),
            where=f"{self._where}, sample {first + offset}",
            next_step="Correct the label, or declare all classes in `model.labels`",
        )

    def _one_per_sample(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.ndim > 1 and array.size == len(array):
            return array.reshape(len(array))
        if array.ndim != 1:
            raise DatasetError(
                "labels must be one figure or name per sample",
                expected="shape (n,)",
                found=f"shape {array.shape}",
                where=self._where,
                next_step="One-hot labels become indices with argmax(axis=1)",
            )
        return array

    def _figures(self, array: NDArray[Any], first: int) -> NDArray[np.float64]:
        figures = np.array([_figure(value) for value in array], dtype=np.float64)
        wrong = ~np.isfinite(figures)
        if wrong.any():
            offset = int(np.argmax(wrong))
            raise DatasetError(
                "a regression label must be a finite number",
                found=f"`{as_text(array[offset])}`",
                where=f"{self._where}, sample {first + offset}",
                next_step="Correct the label or remove the sample",
            )
        return figures

    def _index(self, value: object, sample: int) -> int:
        known = self._index_of.get(as_text(value))
        if known is not None:
            return known
        number = None if self._only_names else _integer(value)
        if number is not None:
            return number
        text = as_text(value)
        raise DatasetError(
            f"unknown label `{text}`",
            expected=f"one of {listed(self._names)}" if self._names else "a class index",
            where=f"{self._where}, sample {sample}",
            next_step=nearest(text, self._names).rstrip("?")
            or "Declare all classes in `model.labels`, in the order of the model's output",
        )


def _integer(value: object) -> int | None:
    """The integer that a stored value stands for.

    >>> _integer("3"), _integer(3.0), _integer("3.5"), _integer("left")
    (3, 3, None, None)
    """
    figure = _figure(value)
    return int(figure) if figure.is_integer() else None


def _figure(value: object) -> float:
    text = as_text(value)
    try:
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")


def check_labels(summary: DatasetSummary, labels: Sequence[str]) -> None:
    """Refuse to judge a classifier on a set in which a declared class has no sample.

    Args:
        summary: Of the set, with its label counts.
        labels: The declared classes, in order.

    Raises:
        DatasetError: It names every class without a sample.
    """
    counts = summary.label_counts
    if not counts:
        return
    missing = [label for label, count in zip(labels, counts, strict=False) if count == 0]
    missing += list(labels[len(counts) :])
    if missing:
        raise DatasetError(
            "a class has no sample, so nothing can be said about it",
            expected="at least one sample of each declared label",
            found=f"none of {listed(missing)}",
            where=f"data.{summary.reference.name}",
            next_step="Add samples, or remove the label from `model.labels`",
        )
