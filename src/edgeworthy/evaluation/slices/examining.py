"""The examination of slices, from predictions and properties of their inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.slices.columns import columns_of
from edgeworthy.evaluation.slices.found import FoundSlices, find_slices
from edgeworthy.evaluation.slices.properties import properties_of
from edgeworthy.evaluation.slices.search import SearchPlan
from edgeworthy.evaluation.tasks import find_task

#: What the column of true classes is called.
CLASS_COLUMN = "class"


def input_properties(
    batches: Iterable[Mapping[str, NDArray[Any]]], *, axes: Mapping[str, str]
) -> dict[str, tuple[float, ...]]:
    """Properties of all samples, a batch at a time.

    Args:
        batches: Raw values ``(n, ...)`` by input.
        axes: Letters of a sample's axes, by input.

    Returns:
        A number per sample and property; the input's name goes before that of the property where
        there are several inputs.
    """
    found: dict[str, list[float]] = {}
    for inputs in batches:
        for name, values in inputs.items():
            prefix = f"{name} " if len(inputs) > 1 else ""
            for each, numbers in properties_of(values, axes.get(name, "")).items():
                found.setdefault(prefix + each, []).extend(numbers.tolist())
    return {name: tuple(numbers) for name, numbers in found.items()}


def examine_slices(
    subject: Predictions,
    original: Predictions,
    settings: EvaluationSettings,
    plan: SearchPlan,
    *,
    properties: Mapping[str, Sequence[float]],
    class_names: Sequence[str] = (),
) -> FoundSlices:
    """Search declared columns, true classes and properties for weak and hurt slices.

    Args:
        subject: What the artefact says.
        original: What the original says; not looked at when the subject is the original.
        settings: Task, confidences, and whether the subject is the original.
        plan: How far the search goes.
        properties: Per property of the inputs, a number per sample.
        class_names: Of a classifier.
    """
    task = find_task(settings.task)
    losses = task.losses(task.decode(subject, settings))
    before = None
    if not settings.is_original:
        before = task.losses(task.decode(original, settings))
    declared: dict[str, Sequence[str]] = dict(subject.slices)
    if class_names and settings.task == "classification":
        declared.setdefault(CLASS_COLUMN, [class_names[int(each)] for each in subject.labels])
    whole = len(subject)
    known = {
        name: np.asarray(numbers, dtype=np.float64)
        for name, numbers in properties.items()
        if len(numbers) == whole
    }
    return find_slices(losses, before, columns_of(declared, known), plan, settings.confidences)
