"""From the tensors that a model gives to the one array that a task judges.

Rules:

1. Most tasks judge one output as it is. Detection joins several; segmentation keeps the class of
   each pixel and drops the scores, which are many times as large.
2. A detector's answers are ``(n, 100, 6)``: x1, y1, x2, y2, score, class; the best hundred of each
   image, the highest score first. Empty places have class -1.
3. Suppression of overlapping boxes belongs into the model: what it gives is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.project import BoxFormat, ModelSection
from edgeworthy.errors import InferenceError, ProjectFileError

#: COCO looks at as many.
MOST_DETECTIONS = 100
#: What ``[model] outputs`` may name, and what a detector must give.
DETECTION_ROLES = ("boxes", "scores", "classes")
_JOINED = "answers"
_BOX = 4
_WIDE = 6

Tensors = Mapping[str, NDArray[Any]]


def judged_as(
    run: Callable[[Tensors], Tensors], section: ModelSection
) -> tuple[Callable[[Tensors], Tensors], str]:
    """A model, and the name of the output that is judged.

    Args:
        run: The model: input tensors by name -> output tensors by name.
        section: ``[model]``: task, outputs and how boxes are written.

    Returns:
        The model with what the task needs done to its outputs, and the name to judge.
    """
    if section.task == "detection":
        return lambda inputs: {_JOINED: detections_of(run(inputs), section)}, _JOINED
    if section.task == "segmentation":
        return lambda inputs: {_JOINED: pixel_classes(run(inputs), section)}, _JOINED
    return run, section.output


def detections_of(tensors: Tensors, section: ModelSection) -> NDArray[np.float64]:
    """Answers of a detector as one array (rule 2).

    Args:
        tensors: Either ``boxes (n, d, 4)``, ``scores (n, d)`` and ``classes (n, d)``, under the
            names that ``outputs`` gives; or one output ``(n, d, 6)`` of box, score and class.
        section: ``[model]``.

    Raises:
        InferenceError: An output does not exist or has another shape.
    """
    if section.outputs:
        boxes, scores, classes = (
            _named(tensors, section.outputs.get(role, role)) for role in DETECTION_ROLES
        )
        _check_shapes(boxes, scores, classes)
        table = np.concatenate(
            [boxes, scores[..., None], classes[..., None]], axis=2, dtype=np.float64
        )
    else:
        name = section.output or next(iter(tensors), "")
        table = np.array(_named(tensors, name), dtype=np.float64)
        if table.ndim != 3 or table.shape[2] != _WIDE:  # noqa: PLR2004 - n, d, 6
            raise InferenceError(
                "the output does not fit the task detection",
                where=f"output `{name}`",
                expected="shape (n, d, 6): box, score, class; or `outputs` in [model]",
                found=f"shape {table.shape}",
                next_step='Write outputs = { boxes = "...", scores = "...", classes = "..." }',
            )
    table[..., :_BOX] = _corners(table[..., :_BOX], section.boxes)
    return _best(table)


def pixel_classes(tensors: Tensors, section: ModelSection) -> NDArray[Any]:
    """The class of each pixel, ``(n, height, width)``, as small as the classes allow.

    Args:
        tensors: Scores ``(n, classes, height, width)`` or ``(n, height, width, classes)``, or
            class indices ``(n, height, width)``.
        section: ``[model]``.

    Raises:
        InferenceError: The output does not exist or has another shape.
    """
    name = section.output or next(iter(tensors), "")
    values = _named(tensors, name)
    count = len(section.labels)
    if values.ndim == 4 and values.shape[1] == count:  # noqa: PLR2004 - n, classes, h, w
        values = values.argmax(axis=1)
    elif values.ndim == 4 and values.shape[3] == count:  # noqa: PLR2004 - n, h, w, classes
        values = values.argmax(axis=3)
    elif values.ndim == 4 and values.shape[1] == 1:  # noqa: PLR2004 - n, 1, h, w
        values = values[:, 0]
    if values.ndim != 3:  # noqa: PLR2004 - n, h, w
        raise InferenceError(
            "the output does not fit the task segmentation",
            where=f"output `{name}`",
            expected=f"scores of {count} classes per pixel, or a class per pixel",
            found=f"shape {values.shape}",
            next_step="Choose another `output`, or correct the list of `labels`, in [model]",
        )
    small = np.uint8 if count <= np.iinfo(np.uint8).max else np.uint16
    return np.asarray(values).astype(small)


def check_outputs(section: ModelSection) -> None:
    """Refuse outputs that no task would look at.

    Raises:
        ProjectFileError: A role is unknown, or the task has none.
    """
    if not section.outputs:
        return
    unknown = sorted(set(section.outputs) - set(DETECTION_ROLES))
    if section.task != "detection" or unknown:
        raise ProjectFileError(
            "`outputs` names what no task looks at",
            where="model.outputs",
            expected='boxes, scores and classes, with task = "detection"',
            found=", ".join(unknown) or f'task = "{section.task}"',
            next_step="Use `output` for a model with one output that counts",
        )


def _named(tensors: Tensors, name: str) -> NDArray[Any]:
    if name in tensors:
        return np.asarray(tensors[name])
    raise InferenceError(
        "the model has no such output",
        where="model.outputs",
        expected=f"one of {', '.join(f'`{known}`' for known in tensors) or 'no outputs'}",
        found=f"`{name}`",
        next_step="Correct the name in [model]",
    )


def _check_shapes(boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any]) -> None:
    fits = boxes.ndim == 3 and boxes.shape[2] == _BOX  # noqa: PLR2004 - n, d, 4
    if not fits or scores.shape != boxes.shape[:2] or classes.shape != boxes.shape[:2]:
        raise InferenceError(
            "the outputs do not fit the task detection",
            where="model.outputs",
            expected="boxes (n, d, 4), scores (n, d) and classes (n, d)",
            found=f"{boxes.shape}, {scores.shape} and {classes.shape}",
            next_step="Export the model with the suppression of overlapping boxes inside",
        )


def _corners(boxes: NDArray[np.float64], written: BoxFormat) -> NDArray[np.float64]:
    first, second, third, fourth = np.moveaxis(boxes, -1, 0)
    if written == "xyxy":
        corners = (first, second, third, fourth)
    elif written == "yxyx":
        corners = (second, first, fourth, third)
    elif written == "xywh":
        corners = (first, second, first + third, second + fourth)
    else:
        corners = (
            first - third / 2,
            second - fourth / 2,
            first + third / 2,
            second + fourth / 2,
        )
    return np.stack(corners, axis=-1)


def _best(table: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(-table[..., _BOX], axis=1, kind="stable")[:, :MOST_DETECTIONS]
    best = np.take_along_axis(table, order[..., None], axis=1)
    made = np.zeros((len(table), MOST_DETECTIONS, _WIDE))
    made[..., _WIDE - 1] = -1.0
    made[:, : best.shape[1]] = best
    return made
