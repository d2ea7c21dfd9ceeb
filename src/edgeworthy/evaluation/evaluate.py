"""All metrics, on all samples and on every slice, against the original.

Rules:

1. A comparison is between predictions on the same samples in the same order, or it is an error.
2. Every slice value is given, however few samples it holds: few samples show as a wide interval,
   not as an absent figure. (A single sample of a regression has no interval and gives none.)
3. The same predictions and settings give the same result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.result import EvaluationResult
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks import find_task

_FEWEST_SAMPLES = 2
_MOST_SLICE_VALUES = 1000


def evaluate(
    subject: Predictions, original: Predictions, settings: EvaluationSettings
) -> EvaluationResult:
    """Judge one artefact.

    Args:
        subject: What it said.
        original: What the original said on the same samples; not looked at when the subject is
            the original itself.
        settings: Task, confidences, seed.

    Raises:
        DatasetError: The two are not about the same samples, there are fewer than two, a label
            does not fit the task, or a slice column has over 1000 different values.
        ProjectFileError: The outputs do not fit the task.

    >>> said = Predictions(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), {})
    >>> result = evaluate(said, said, EvaluationSettings(task="classification", is_original=True))
    >>> result.metrics[0].metric, result.metrics[0].estimate.value
    ('accuracy', 1.0)
    """
    _check_samples(subject)
    task = find_task(settings.task)
    judged = task.decode(subject, settings)
    reference = None
    if not settings.is_original:
        _check_same_samples(subject, original)
        reference = task.decode(original, settings)
    plan = IntervalPlan(settings.confidences, settings.seed, settings.resamples)
    metrics = [
        value
        for name, indices in _parts(subject)
        for metric in task.metrics
        for value in metric.values(
            judged.take(indices),
            None if reference is None else reference.take(indices),
            dataclasses.replace(plan, slice_name=name),
        )
    ]
    return EvaluationResult(
        metrics=tuple(metrics),
        flips=None if reference is None else task.flips(judged, reference),
        reliability=task.reliability(judged),
        confusion=task.confusion(judged),
        outputs_digest=subject.outputs_digest,
    )


def _parts(predictions: Predictions) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """All samples, then each slice value in order, with the positions of its samples."""
    yield "", np.arange(len(predictions))
    for column, column_values in predictions.slices.items():
        values, codes = np.unique(np.array(column_values, dtype=object), return_inverse=True)
        if len(values) > _MOST_SLICE_VALUES:
            raise DatasetError(
                "too many different values in a slice column",
                where=f"column `{column}`",
                expected=f"at most {_MOST_SLICE_VALUES} groups",
                found=f"{len(values)} different values",
                next_step="Group the values into ranges, or take the column out of `slices`",
            )
        order = np.argsort(codes, kind="stable")
        borders = np.searchsorted(codes[order], np.arange(1, len(values)))
        for value, indices in zip(values, np.split(order, borders), strict=True):
            yield f"{column}={value}", indices


def _check_samples(subject: Predictions) -> None:
    if len(subject) < _FEWEST_SAMPLES:
        raise DatasetError(
            "too few samples to judge a model",
            where="data.evaluation",
            expected=f"at least {_FEWEST_SAMPLES}",
            found=str(len(subject)),
            next_step="Add labelled samples or widen `rows`",
        )


def _check_same_samples(subject: Predictions, original: Predictions) -> None:
    if len(subject) != len(original):
        raise DatasetError(
            "the two models were not run on the same samples",
            expected=f"{len(original)} predictions, as of the original",
            found=str(len(subject)),
            next_step="Predict again with both",
        )
    differing = subject.labels != original.labels
    if differing.any() or subject.slices != original.slices:
        raise DatasetError(
            "the two models were not run on the same samples",
            where=f"sample {int(np.argmax(differing))}" if differing.any() else "slices",
            expected="equal labels and slices in equal order",
            found="different ones",
            next_step="Predict again with both",
        )
