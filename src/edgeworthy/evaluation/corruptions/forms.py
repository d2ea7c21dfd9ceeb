"""From samples as they are stored to the form that corruptions work on, and back.

Rules:

1. What a sample is, is told from the format, the axes and the layout; what cannot be told is an
   error that asks for ``kind``, never a guess that would give wrong figures.
2. Corruptions see float32: pictures from 0 to 1, sound from -1 to 1, all else in its own units.
3. What comes back has the dtype of the stored sample; whole numbers are rounded and kept within
   their dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset
from edgeworthy.documents.project import SampleKind
from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.corruptions.base import Facts, Samples

_LOOKED_AT = 256
_POOL = 16
#: An array this much longer than wide is no picture, as in the report's drawings.
_LONGEST_RATIO = 4
_RANGES = ((0.0, 1.0), (0.0, 255.0), (0.0, 65535.0), (-1.0, 1.0))
_CANONICAL = {"image": "HWC", "sound": "TC", "series": "TC", "table": "C", "features": "TF"}
_CHANNEL_COUNTS = (1, 3, 4)


@dataclass(frozen=True)
class Form:
    """How samples of a set are stored.

    Attributes:
        kind: What they are.
        axes: Letters of a stored sample's axes, in the letters of the kind; one that the kind does
            not know has a single entry.
        low: Value of black, or of the lowest sound.
        high: Value of white, or of the loudest sound.
    """

    kind: SampleKind
    axes: str
    low: float = 0.0
    high: float = 1.0

    def opened(self, stored: NDArray[Any]) -> Samples:
        """The form that corruptions work on, of ``(n, ...)`` as they are stored."""
        wanted = _CANONICAL[self.kind]
        order = [self.axes.index(letter) + 1 for letter in wanted if letter in self.axes]
        extra = [axis + 1 for axis, letter in enumerate(self.axes) if letter not in wanted]
        moved = stored.transpose(0, *order, *extra)
        values = moved.reshape(moved.shape[: 1 + len(order)])
        if len(order) < len(wanted):
            values = values[..., np.newaxis]
        low, scale = self._scale()
        if (low, scale) == (0.0, 1.0):
            return np.ascontiguousarray(values, dtype=np.float32)
        result = values.astype(np.float32)
        if low:
            result -= np.float32(low)
        result *= np.float32(1 / scale)
        return result

    def closed(self, samples: Samples, like: NDArray[Any]) -> NDArray[Any]:
        """As they are stored: shape, axes and dtype of ``like``."""
        wanted = _CANONICAL[self.kind]
        low, scale = self._scale()
        values = samples
        if scale != 1.0:
            values = values * np.float32(scale)
        if like.dtype.kind == "u" and self.kind == "image" and low >= 0:
            # Bounds hold already, so rounding is adding a half and cutting.
            values += np.float32(low + 0.5)
        else:
            if low:
                values = values + np.float32(low)
            if like.dtype.kind in "iu":
                limits = np.iinfo(like.dtype)
                values = np.clip(np.rint(values), limits.min, limits.max)
        kept = [letter for letter in wanted if letter in self.axes]
        if len(kept) < len(wanted):
            values = values[..., 0]
        letters = "".join(kept) + "".join(each for each in self.axes if each not in wanted)
        values = values.reshape(*values.shape, *([1] * (len(letters) - len(kept))))
        order = [letters.index(letter) + 1 for letter in self.axes]
        return np.ascontiguousarray(values.transpose(0, *order), dtype=like.dtype)

    def holds_bytes(self, stored: NDArray[Any]) -> bool:
        """Whether stored pictures are 8-bit pixels in the order that corruptions work on."""
        bytes_as_they_are = (self.low, self.high, self.axes) == (0.0, 255.0, _CANONICAL["image"])
        return self.kind == "image" and stored.dtype == np.uint8 and bytes_as_they_are

    def _scale(self) -> tuple[float, float]:
        if self.kind == "image":
            return self.low, self.high - self.low
        if self.kind == "sound":
            return 0.0, max(abs(self.low), abs(self.high))
        return 0.0, 1.0


def form_of(
    dataset: Dataset, *, name: str, layout: str, kind: SampleKind | None = None
) -> tuple[Form, Facts]:
    """What the samples of a set are, and what is known of them all, from its first samples.

    Args:
        dataset: Raw samples.
        name: The input that is corrupted; empty for the only one.
        layout: Letters of the model's axes without the batch; may be empty.
        kind: As declared; found when left out.

    Raises:
        DatasetError: A sample cannot be read.
        ProjectFileError: The kind cannot be told, or does not fit the samples.
    """
    stored = _first_samples(dataset, name)
    axes = dataset.axes or (layout if len(layout) == stored[0].ndim - 1 else "")
    found = kind or _kind_of(dataset, axes, stored[0])
    letters = _letters(found, axes, stored[0])
    low, high = _range_of(stored)
    form = Form(kind=found, axes=letters, low=low, high=high)
    return form, _facts(form, stored, dataset.sample_rate_hz)


def _first_samples(dataset: Dataset, name: str) -> list[NDArray[Any]]:
    found: list[NDArray[Any]] = []
    count = 0
    for batch in dataset.batches(_POOL):
        found.append(batch.inputs[name] if name in batch.inputs else batch.inputs[""])
        count += len(batch.labels)
        if count >= _LOOKED_AT:
            break
    return found


def _kind_of(dataset: Dataset, axes: str, stored: NDArray[Any]) -> SampleKind:
    """Rule 1."""
    shape = stored.shape[1:]
    if dataset.data_format == "image-folder":
        return "image"
    if dataset.data_format == "wav-folder" or dataset.sample_rate_hz:
        return "sound"
    if axes == "C":
        return "table"
    if sorted(axes) in (["C", "T"], ["T"]):
        return "series"
    sides = _sides(axes, shape)
    if sides is not None:
        longer, shorter = max(sides), min(sides)
        return "features" if longer > _LONGEST_RATIO * shorter else "image"
    raise ProjectFileError(
        "it cannot be told what the samples are",
        expected='kind = "image", "sound", "series", "table" or "features"',
        found=f"samples of shape {shape}, axes `{axes or 'unknown'}`",
        where="evaluate.corruptions.kind",
        next_step="Declare it under [evaluate.corruptions], and the layout of the input",
    )


def _sides(axes: str, shape: tuple[int, ...]) -> tuple[int, int] | None:
    if {"H", "W"} <= set(axes):
        return shape[axes.index("H")], shape[axes.index("W")]
    if axes:
        return None
    if len(shape) == 2:  # noqa: PLR2004 - rows and columns
        return shape[0], shape[1]
    if len(shape) == 3:  # noqa: PLR2004 - and channels
        if shape[2] in _CHANNEL_COUNTS:
            return shape[0], shape[1]
        if shape[0] in _CHANNEL_COUNTS:
            return shape[1], shape[2]
    return None


def _letters(kind: SampleKind, axes: str, stored: NDArray[Any]) -> str:
    """Letters of the kind for the stored axes."""
    shape = stored.shape[1:]
    letters = _LETTERS[kind](axes, shape)
    if letters:
        return letters
    raise ProjectFileError(
        f"the samples do not have the axes of {kind} samples",
        expected=f"axes {', '.join(_CANONICAL[kind])} in some order, one channel may be left out",
        found=f"shape {shape}, axes `{axes or 'unknown'}`",
        where="evaluate.corruptions.kind",
        next_step="Declare the layout of the input, or another kind",
    )


def _image_letters(axes: str, shape: tuple[int, ...]) -> str:
    if axes:
        return axes if {"H", "W"} <= set(axes) <= set("HWC") else ""
    if len(shape) == 2:  # noqa: PLR2004 - rows and columns
        return "HW"
    if len(shape) != 3:  # noqa: PLR2004 - and channels
        return ""
    if shape[2] in _CHANNEL_COUNTS:
        return "HWC"
    return "CHW" if shape[0] in _CHANNEL_COUNTS else ""


def _feature_letters(axes: str, shape: tuple[int, ...]) -> str:
    """Time is H or T, coefficients are W, F or C; a further axis must have one entry."""
    if not axes:
        long = [size for size in shape if size > 1]
        if len(long) != 2:  # noqa: PLR2004 - time and coefficients
            return ""
        letters = iter("TF")
        return "".join(next(letters) if size > 1 else "1" for size in shape)
    time = next((letter for letter in "TH" if letter in axes), "")
    others = [letter for letter in "WFC" if letter in axes and shape[axes.index(letter)] > 1]
    if not time or len(others) != 1:
        return ""
    named = {time: "T", others[0]: "F"}
    return "".join(named.get(letter, "1") for letter in axes)


def _time_letters(axes: str, shape: tuple[int, ...]) -> str:
    if axes:
        return axes if "T" in axes and set(axes) <= set("TC") else ""
    if len(shape) == 1:
        return "T"
    return ("TC" if shape[0] >= shape[1] else "CT") if len(shape) == 2 else ""  # noqa: PLR2004


def _column_letters(_axes: str, shape: tuple[int, ...]) -> str:
    return "C" if len(shape) == 1 else ""


_LETTERS: dict[SampleKind, Callable[[str, tuple[int, ...]], str]] = {
    "image": _image_letters,
    "features": _feature_letters,
    "sound": _time_letters,
    "series": _time_letters,
    "table": _column_letters,
}


def _range_of(stored: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """The first usual range that the values fit and fill to more than half.

    Else from 0, or from the lowest where that is below, to the highest.
    """
    if stored[0].dtype == np.uint8 and max(int(each.max()) for each in stored) > 127:  # noqa: PLR2004 - half
        return 0.0, 255.0
    low = min(float(each.min()) for each in stored)
    high = max(float(each.max()) for each in stored)
    for lowest, highest in _RANGES:
        if low >= lowest and highest / 2 < high <= highest:
            return lowest, highest
    low = min(low, 0.0)
    return (low, high) if high > low else (low, low + 1.0)


def _facts(form: Form, stored: Sequence[NDArray[Any]], rate: int | None) -> Facts:
    pool = [form.opened(each) for each in stored]
    alike = [each for each in pool if each.shape[1:] == pool[0].shape[1:]]
    flat = np.concatenate([each.reshape(-1, each.shape[-1]) for each in _pieces(pool)])
    std = flat.std(axis=0, dtype=np.float64)
    usual = float(std[std > 0].mean()) if (std > 0).any() else 1.0
    return Facts(
        mean=flat.mean(axis=0, dtype=np.float64).astype(np.float32),
        std=np.where(std > 0, std, usual).astype(np.float32),
        pool=np.concatenate(alike)[:_POOL],
        sample_rate_hz=rate or 16_000,
    )


def _pieces(pool: Sequence[Samples]) -> Iterator[Samples]:
    """Only as much as figures of the whole need."""
    yield from pool[:_POOL]
