"""Samples of a bare model: arrays of an npz file, held against what the model takes.

Rules:

1. An array per input, the samples along the first axis, prepared as the model takes them.
2. An axis that the model leaves open has the size that it has in the samples: sizes are pinned as
   those of a project are, and whoever asks is told which.
3. Arrays that do not fit are an error here, in the words of the file, not one of the engine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.search import PinnedAxis
from edgeworthy.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.datasets import Rows
    from edgeworthy.graph import LoadedModel

_LABEL_NAMES = ("labels", "label", "y", "targets")
_FEWEST = 4
_MOST_TOGETHER = 32
_BYTES_TOGETHER = 8 << 20


@dataclass(frozen=True)
class _BareBatch:
    """Consecutive samples of a bare model."""

    first: int
    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    slices: Mapping[str, tuple[str, ...]]


def fitted(
    model: LoadedModel, signature: ModelSignature, arrays: Mapping[str, Rows]
) -> tuple[LoadedModel, tuple[PinnedAxis, ...]]:
    """The model with its open axes as large as those of the samples (rule 2).

    Args:
        model: A model, whose first axes may stay open.
        signature: What it takes.
        arrays: Samples of each input.

    Raises:
        UsageError: An axis would get two sizes.
        ModelFileError: With these sizes the shapes contradict each other.
    """
    from edgeworthy.graph import pin_axes

    pinned = tuple(
        PinnedAxis(input=tensor.name, axis=axis, size=arrays[tensor.name].shape[index])
        for tensor in signature.inputs
        for index, axis in enumerate(tensor.shape)
        if index and isinstance(axis, str)
    )
    pins: dict[str, dict[str, int]] = {}
    for each in pinned:
        pins.setdefault(each.input, {})[each.axis] = each.size
    return dataclasses.replace(model, proto=pin_axes(model.proto, pins)), pinned


def bare_arrays(
    path: Path, signature: ModelSignature, label_name: str
) -> tuple[dict[str, Rows], NDArray[Any] | None]:
    """Samples by input, and the labels where there are any."""
    import numpy as np

    from edgeworthy.datasets import array_names, rows_of

    names = array_names(path)
    wanted = [tensor.name for tensor in signature.inputs]
    label_names = [label_name] if label_name else [n for n in _LABEL_NAMES if n not in wanted]
    label_key = next((name for name in label_names if name in names), None)
    if label_name and label_key is None:
        raise DatasetError(
            f"no array with the labels `{label_name}`",
            where=str(path),
            found=", ".join(f"`{name}`" for name in names),
            next_step="Name the array with --labels",
        )
    others = [name for name in names if name != label_key]
    keys = others if len(wanted) == 1 and len(others) == 1 else wanted
    if not set(keys) <= set(others):
        raise DatasetError(
            "no array for an input of the model",
            where=str(path),
            expected=", ".join(f"`{name}`" for name in wanted),
            found=", ".join(f"`{name}`" for name in others) or "none",
            next_step="Save them with numpy.savez, one array per input, samples first",
        )
    found = rows_of(path, [*keys, *([label_key] if label_key else [])])
    labels = found.pop(label_key).read() if label_key else None
    arrays = {
        tensor.name: _cast(found[key], tensor.dtype, path, tensor.name)
        for tensor, key in zip(signature.inputs, keys, strict=True)
    }
    for tensor in signature.inputs:
        _check_shape(arrays[tensor.name], tensor, path)
    counts = {len(each) for each in arrays.values()} | (set() if labels is None else {len(labels)})
    if len(counts) != 1:
        raise DatasetError(
            "the arrays do not hold the same number of samples",
            where=str(path),
            found=", ".join(str(each) for each in sorted(counts)),
            next_step="Save as many samples of each input as there are labels, the first axis of "
            "each array counting them",
        )
    if min(counts) < _FEWEST:
        raise DatasetError(
            "too few samples to say anything about a model",
            where=str(path),
            expected=f"{_FEWEST} or more, some hundreds for an interval that says something",
            found=str(min(counts)),
            next_step="Save more samples",
        )
    if labels is not None:
        labels = np.asarray(labels).reshape(len(labels), -1)[:, 0].astype(np.int64)
    return arrays, labels


def _cast(values: Rows, dtype: str, path: Path, name: str) -> Rows:
    import numpy as np

    if not np.can_cast(values.dtype, np.dtype(dtype), casting="same_kind"):
        raise DatasetError(
            f"array `{name}` is of another kind than the input",
            where=str(path),
            expected=dtype,
            found=str(values.dtype),
            next_step="Prepare the samples as the model takes them",
        )
    return values.astype(dtype)


def _check_shape(values: Rows, tensor: TensorSignature, path: Path) -> None:
    wanted = tensor.shape
    if len(values.shape) == len(wanted) and all(
        isinstance(size, str) or size == found
        for size, found in zip(wanted[1:], values.shape[1:], strict=True)
    ):
        return
    raise DatasetError(
        f"array `{tensor.name}` does not have the shape of the input",
        where=str(path),
        expected=f"({', '.join(['samples', *map(str, wanted[1:])])})",
        found=str(values.shape),
        next_step="Prepare the samples as the model takes them, the samples along the first axis",
    )


def batch_size(arrays: Mapping[str, Rows]) -> int:
    """Samples that run together: fewer of large ones, whose activations are larger still."""
    bytes_each = sum(each.array.sample_bytes for each in arrays.values())
    return max(1, min(_MOST_TOGETHER, _BYTES_TOGETHER // max(1, bytes_each)))


def labelled_batches(
    arrays: Mapping[str, Rows], labels: NDArray[Any] | None, size: int
) -> Iterator[_BareBatch]:
    """Batches of samples; labels are zeros where there are none."""
    import numpy as np

    count = len(next(iter(arrays.values())))
    truth = np.zeros(count, dtype=np.int64) if labels is None else labels
    for first in range(0, count, size):
        rows = slice(first, first + size)
        yield _BareBatch(
            first=first,
            inputs={name: values[rows].read() for name, values in arrays.items()},
            labels=truth[rows],
            slices={},
        )
