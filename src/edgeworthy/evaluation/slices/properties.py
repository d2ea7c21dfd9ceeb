"""Simple properties of inputs, by which a person can say which samples are meant.

Rules:

1. One number per sample and property, from the values alone; what has one value everywhere is left
   out later, by whoever groups it.
2. The letters of the axes say what a sample is: an image (H and W), a series or sound (T), or a
   row of figures (neither). Other letters than these and C are averaged over; a single channel may
   be left out of the values, as preparation allows.
3. Values are taken as they are stored, before any preparation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A row with more figures than this is described as a whole.
MOST_FEATURES = 16
_COLORS = 3


def properties_of(values: NDArray[Any], axes: str) -> dict[str, NDArray[np.float64]]:
    """Properties of some samples.

    Args:
        values: ``(n, ...)``.
        axes: A letter per axis after the first, or empty where nobody knows.

    >>> grey = np.array([[[0, 0], [0, 0]], [[4, 0], [0, 4]]])
    >>> {name: found.tolist() for name, found in properties_of(grey, "HW").items()}
    {'brightness': [0.0, 2.0], 'contrast': [0.0, 2.0], 'sharpness': [0.0, 4.0]}
    """
    numbers = values.astype(np.float64)
    letters = next(
        (each for each in (axes, axes.replace("C", "")) if len(each) == values.ndim - 1), ""
    )
    if "H" in letters and "W" in letters:
        return _of_images(numbers, letters)
    if "T" in letters:
        return _of_series(numbers, letters)
    if values.ndim == 2 and values.shape[1] <= MOST_FEATURES:  # noqa: PLR2004 - n and features
        return {f"feature {at}": numbers[:, at] for at in range(values.shape[1])}
    tokens = values.dtype.kind in "iu" and values.ndim == 2  # noqa: PLR2004 - n and places
    return _of_anything(numbers, tokens=tokens)


def _of_images(images: NDArray[np.float64], letters: str) -> dict[str, NDArray[np.float64]]:
    flat = images.reshape(len(images), -1)
    down, across = letters.index("H") + 1, letters.index("W") + 1
    steps = [
        np.abs(np.diff(images, axis=axis)).reshape(len(images), -1).mean(axis=1)
        for axis in (down, across)
        if images.shape[axis] > 1
    ]
    found = {"brightness": flat.mean(axis=1), "contrast": flat.std(axis=1)}
    if steps:
        found["sharpness"] = np.mean(steps, axis=0)
    channel = letters.find("C") + 1
    if channel and images.shape[channel] == _COLORS:
        found["colorfulness"] = images.std(axis=channel).reshape(len(images), -1).mean(axis=1)
    return found


def _of_series(series: NDArray[np.float64], letters: str) -> dict[str, NDArray[np.float64]]:
    moved = np.moveaxis(series, letters.index("T") + 1, 1)
    lines = moved.reshape(len(moved), moved.shape[1], -1)
    centered = lines - lines.mean(axis=1, keepdims=True)
    found = {
        "level": lines.mean(axis=(1, 2)),
        "energy": np.sqrt((centered**2).mean(axis=(1, 2))),
        "peak": np.abs(centered).max(axis=(1, 2)),
    }
    if lines.shape[1] > 1:
        crossings = np.diff(np.signbit(centered).astype(np.int8), axis=1) != 0
        found["zero crossings"] = crossings.mean(axis=(1, 2))
    return found


def _of_anything(values: NDArray[np.float64], *, tokens: bool) -> dict[str, Any]:
    flat = values.reshape(len(values), -1)
    if tokens:  # what is not filled up
        return {"length": np.count_nonzero(flat, axis=1).astype(np.float64)}
    return {"level": flat.mean(axis=1), "spread": flat.std(axis=1)}
