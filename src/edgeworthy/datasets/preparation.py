"""From raw samples to the tensors that a model takes.

Rules:

1. The order is fixed: resize, normalize, arrange the axes, cast, check against the signature.
2. Axes are arranged by their letters; an axis is added or dropped only if it is the channel axis
   and has one entry. Grey images are repeated where a model wants three channels.
3. A value that the input's dtype cannot hold is an error, never wrapped around or cut.
4. All batches but the last have the size that was asked for, or that of a fixed batch axis;
   filling up the last one is for whoever runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, RawBatch
from edgeworthy.datasets.input_plan import InputPlan, input_plans
from edgeworthy.documents.encoded import InputPreparation
from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.project import InputSection
from edgeworthy.errors import DatasetError


@dataclass(frozen=True)
class PreparedBatch:
    """Consecutive samples as the model takes them.

    Attributes:
        first: Index of the first sample in the set.
        inputs: Every input of the signature: shape ``(n, ...)``, dtype of the signature.
        labels: ``(n,)``, as in :class:`RawBatch`.
        slices: Per slice column, ``n`` values.
    """

    first: int
    inputs: dict[str, NDArray[Any]]
    labels: NDArray[Any]
    slices: dict[str, tuple[str, ...]]


def prepared_batches(
    dataset: Dataset,
    *,
    signature: ModelSignature,
    inputs: Mapping[str, InputSection],
    size: int,
) -> Iterator[PreparedBatch]:
    """Batches that a session can run.

    Args:
        dataset: Raw samples.
        signature: Of the model.
        inputs: How raw values become each input, as declared.
        size: Samples per batch, at least 1.

    Raises:
        DatasetError: A sample does not fit the model.
        ProjectFileError: The declaration contradicts the model or the data.
    """
    plans = input_plans(dataset, signature, inputs)
    size = _batch_size(signature, size)
    pending: list[PreparedBatch] = []
    count = 0
    for raw in dataset.batches(size):
        pending.append(_prepared(raw, plans))
        count += len(raw.labels)
        while count >= size:
            joined = _joined(pending)
            yield _part(joined, 0, size)
            count -= size
            pending = [_part(joined, size, size + count)] if count else []
    if pending:
        yield _joined(pending)


def input_preparations(
    dataset: Dataset, signature: ModelSignature, inputs: Mapping[str, InputSection]
) -> tuple[InputPreparation, ...]:
    """How each input is prepared, in a form that crosses processes.

    Args:
        dataset: Raw samples.
        signature: Of the model.
        inputs: How raw values become each input, as declared.

    Raises:
        DatasetError: The sample rate is another one than declared.
        ProjectFileError: The declaration contradicts the model or the data.
    """
    return tuple(
        InputPreparation(
            tensor=plan.tensor, section=plan.section, axes=plan.axes, unnamed=plan.unnamed
        )
        for plan in input_plans(dataset, signature, inputs)
    )


def _batch_size(signature: ModelSignature, size: int) -> int:
    fixed = {
        tensor.shape[0]
        for tensor in signature.inputs
        if tensor.shape and isinstance(tensor.shape[0], int)
    }
    return next(iter(fixed)) if len(fixed) == 1 else size


def _prepared(raw: RawBatch, plans: tuple[InputPlan, ...]) -> PreparedBatch:
    return PreparedBatch(
        first=raw.first,
        inputs={plan.tensor.name: plan.apply(raw) for plan in plans},
        labels=raw.labels,
        slices=raw.slices,
    )


def _joined(batches: list[PreparedBatch]) -> PreparedBatch:
    head = batches[0]
    if len(batches) == 1:
        return head
    for batch in batches[1:]:
        for name, array in batch.inputs.items():
            if array.shape[1:] != head.inputs[name].shape[1:]:
                raise DatasetError(
                    f"samples for input `{name}` differ in shape",
                    expected=f"{head.inputs[name].shape[1:]} as sample {head.first}",
                    found=str(array.shape[1:]),
                    where=f"sample {batch.first}",
                    next_step="Make all samples one size",
                )
    return PreparedBatch(
        first=head.first,
        inputs={
            name: np.concatenate([batch.inputs[name] for batch in batches]) for name in head.inputs
        },
        labels=np.concatenate([batch.labels for batch in batches]),
        slices={
            column: tuple(text for batch in batches for text in batch.slices[column])
            for column in head.slices
        },
    )


def _part(batch: PreparedBatch, start: int, stop: int) -> PreparedBatch:
    return PreparedBatch(
        first=batch.first + start,
        inputs={name: array[start:stop] for name, array in batch.inputs.items()},
        labels=batch.labels[start:stop],
        slices={column: texts[start:stop] for column, texts in batch.slices.items()},
    )
