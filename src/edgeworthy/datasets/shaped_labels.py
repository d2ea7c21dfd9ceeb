"""Labels that are more than one figure: true boxes, and pictures of classes.

Rules:

1. Detection: ``(n, k, 5)``: class, x1, y1, x2, y2, in the unit of the model's boxes. Images with
   fewer boxes are filled up with rows of class -1.
2. Segmentation: ``(n, height, width)`` class indices; 255 where nobody judges.
3. What does not fit is an error that names the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError

#: Tasks whose labels are arrays.
SHAPED_TASKS = ("detection", "segmentation")
_IGNORED = 255
_AXES = 3
_BOX_WIDTH = 5


def shaped_labels(
    values: Sequence[object] | NDArray[Any],
    task: str,
    class_count: int,
    where: str,
    first: int,
) -> NDArray[Any]:
    """Labels of consecutive samples.

    Args:
        values: As stored.
        task: One of :data:`SHAPED_TASKS`.
        class_count: Declared classes; 0 for any number.
        where: The data set, for error messages.
        first: Index of the first sample in the set.

    Raises:
        DatasetError: A label has another shape, is no number, or has a class out of range.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise _misfit(task, "arrays of different shapes", where) from error
    if array.dtype.kind not in "biuf" or array.ndim != _AXES:
        raise _misfit(task, f"dtype {array.dtype}, shape {array.shape}", where)
    if task == "detection":
        return _boxes(array, class_count, where, first)
    return _pictures(array, class_count, where, first)


def _boxes(array: NDArray[Any], class_count: int, where: str, first: int) -> NDArray[np.float64]:
    if array.shape[2] != _BOX_WIDTH:
        raise _misfit("detection", f"shape {array.shape}", where)
    boxes = array.astype(np.float64)
    classes = boxes[..., 0]
    filled = classes != -1
    _check(
        np.asarray(np.isfinite(boxes).all(axis=(1, 2))), "a finite number everywhere", where, first
    )
    whole = (classes >= 0) & (classes == np.floor(classes))
    if class_count:
        whole &= classes < class_count
    limit = f"0 to {class_count - 1}" if class_count else "0 or more"
    _check(
        np.asarray((whole | ~filled).all(axis=1)),
        f"classes {limit}, or -1 for no box",
        where,
        first,
    )
    ordered = (boxes[..., 3] >= boxes[..., 1]) & (boxes[..., 4] >= boxes[..., 2])
    _check(np.asarray((ordered | ~filled).all(axis=1)), "x1 <= x2 and y1 <= y2", where, first)
    return boxes


def _pictures(array: NDArray[Any], class_count: int, where: str, first: int) -> NDArray[Any]:
    limit = class_count or _IGNORED
    known = (array >= 0) & (array < limit) & (array == np.floor(array))
    expected = f"classes 0 to {limit - 1}, or {_IGNORED} where nobody judges"
    fits = np.asarray((known | (array == _IGNORED)).all(axis=(1, 2)))
    _check(fits, expected, where, first)
    return array.astype(np.uint8 if limit <= _IGNORED else np.uint16)


def _check(fits: NDArray[np.bool_], expected: str, where: str, first: int) -> None:
    if not fits.all():
        raise DatasetError(
            "a label does not fit the task",
            expected=expected,
            found="something else",
            where=f"{where}, sample {first + int(np.argmin(fits))}",
            next_step="Correct the label or leave the sample out",
        )


def _misfit(task: str, found: str, where: str) -> DatasetError:
    shape = "(n, k, 5): class, x1, y1, x2, y2" if task == "detection" else "(n, height, width)"
    return DatasetError(
        f"labels do not fit the task {task}",
        expected=f"numbers of shape {shape}",
        found=found,
        where=where,
        next_step="Fill boxes up with rows of class -1" if task == "detection" else "",
    )
