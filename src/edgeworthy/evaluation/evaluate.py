"""All metrics, on all samples and on every slice, against the original.

Rules:

1. A comparison is between predictions on the same samples in the same order, or it is an error.
2. Every slice value is given, however few samples it holds: few samples show as a wide interval,
   not as an absent figure. (A single sample of a regression has no interval and gives none.)
3. The same predictions and settings give the same result.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.findings import find_regressions
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.parts import slices_of, whole
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.result import EvaluationResult
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks import find_task

_FEWEST_SAMPLES = 2


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
    slices = slices_of(subject)
    plan = IntervalPlan(settings.confidences, settings.seed, settings.resamples)
    metrics = [
        value
        for part in (whole(subject), *slices)
        for metric in task.metrics
        for value in metric.values(
            judged.take(part.indices),
            None if reference is None else reference.take(part.indices),
            dataclasses.replace(plan, slice_name=part.name),
        )
    ]
    metrics += [
        value
        for group_metric in task.group_metrics
        for value in group_metric.values(judged, reference, slices, settings.confidences)
    ]
    flips = None if reference is None else task.flips(judged, reference, slices)
    return EvaluationResult(
        metrics=tuple(metrics),
        flips=flips,
        findings=find_regressions(metrics, flips),
        reliability=task.reliability(judged),
        confusion=task.confusion(judged),
        outputs_digest=subject.outputs_digest,
    )


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
    differing = (subject.labels != original.labels).reshape(len(subject), -1).any(axis=1)
    if differing.any() or subject.slices != original.slices:
        raise DatasetError(
            "the two models were not run on the same samples",
            where=f"sample {int(np.argmax(differing))}" if differing.any() else "slices",
            expected="equal labels and slices in equal order",
            found="different ones",
            next_step="Predict again with both",
        )
