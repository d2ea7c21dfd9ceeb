"""The kinds of question that a model answers, by the name in the project file."""

from __future__ import annotations

from typing import Any

from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.metrics.base import MetricDefinition
from edgeworthy.evaluation.tasks.anomaly import Anomaly
from edgeworthy.evaluation.tasks.base import Task
from edgeworthy.evaluation.tasks.classification import Classification
from edgeworthy.evaluation.tasks.detection import Detection
from edgeworthy.evaluation.tasks.embedding import Embedding
from edgeworthy.evaluation.tasks.regression import Regression
from edgeworthy.evaluation.tasks.segmentation import Segmentation

__all__ = ["Task", "find_task", "metrics_of"]

_TASKS: dict[str, Task[Any]] = {
    task.name: task
    for task in (
        Classification(),
        Regression(),
        Anomaly(),
        Detection(),
        Segmentation(),
        Embedding(),
    )
}


def find_task(name: str) -> Task[Any]:
    """The task of that name.

    Raises:
        ProjectFileError: There is none.
    """
    if name not in _TASKS:
        raise ProjectFileError(
            "there is no such task",
            where="model.task",
            expected=f"one of {', '.join(f'`{known}`' for known in _TASKS)}",
            found=f"`{name}`",
        )
    return _TASKS[name]


def metrics_of(task: str) -> tuple[MetricDefinition, ...]:
    """The metrics of a task, in the order of the report.

    Raises:
        ProjectFileError: There is no such task.

    >>> [metric.name for metric in metrics_of("anomaly")][:3]
    ['auroc', 'average_precision', 'partial_auroc']
    """
    return tuple(metric.definition for metric in find_task(task).every_metric)
