"""Samples that a function of the project's own makes.

Rules:

1. The function returns a :class:`Dataset`, named arrays as in an npz file, or an iterable of
   ``(sample, label)`` or ``(sample, label, slices)``. An iterable is asked for anew in each pass,
   so that a generator streams.
2. What it raises, also while it is iterated, comes out as :class:`DatasetError`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.guard import GuardedDataset
from edgeworthy.datasets.keys import array_keys
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.datasets.project_function import (
    foreign_errors,
    function_name,
    imported_function,
)
from edgeworthy.datasets.reading import as_text, selected_rows
from edgeworthy.datasets.samples import Sample, batched
from edgeworthy.errors import DatasetError

_PAIR = 2
_TRIPLE = 3


def open_function(declaration: Declaration) -> Dataset:
    """The data set that a function of the project makes.

    Raises:
        DatasetError: The function cannot be imported, fails, or returns something else.
        ProjectFileError: ``function`` is malformed or names nothing.
    """
    function = imported_function(declaration)
    with foreign_errors(declaration):
        result = function()
    if isinstance(result, Dataset):
        with foreign_errors(declaration):
            return _SelectedDataset(GuardedDataset(result, declaration), declaration)
    if isinstance(result, Mapping):
        with foreign_errors(declaration):
            arrays = {str(name): np.asarray(values) for name, values in result.items()}
        return _ArraysDataset(arrays, declaration)
    if isinstance(result, Iterable):
        return _IterableDataset(function, declaration)
    raise DatasetError(
        "the function returned no samples",
        expected="a Dataset, named arrays, or an iterable of (sample, label)",
        found=type(result).__name__,
        where=function_name(declaration),
    )


class _SelectedDataset(Dataset):
    """Rows of a data set that someone else implemented."""

    data_format = "function"

    def __init__(self, dataset: Dataset, declaration: Declaration) -> None:
        self._dataset = dataset
        self._declaration = declaration
        self._rows = selected_rows(declaration, len(dataset))
        self.axes = dataset.axes
        self.sample_rate_hz = dataset.sample_rate_hz

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """The selected rows of each batch."""
        with foreign_errors(self._declaration):
            for batch in self._dataset.batches(size):
                start = max(self._rows.start - batch.first, 0)
                stop = min(self._rows.stop - batch.first, len(batch.labels))
                if start < stop:
                    yield RawBatch(
                        first=batch.first + start - self._rows.start,
                        inputs={name: array[start:stop] for name, array in batch.inputs.items()},
                        labels=batch.labels[start:stop],
                        slices={name: texts[start:stop] for name, texts in batch.slices.items()},
                    )


class _ArraysDataset(Dataset):
    """Named arrays in memory."""

    data_format = "function"
    axes = ""

    def __init__(self, arrays: dict[str, NDArray[Any]], declaration: Declaration) -> None:
        where = function_name(declaration)
        keys = array_keys(declaration, tuple(arrays), where=where)
        chosen = (*keys.inputs.values(), keys.labels, *keys.slices)
        lengths = {name: len(arrays[name]) if arrays[name].ndim else 0 for name in chosen}
        if len(set(lengths.values())) != 1:
            raise DatasetError(
                "the arrays differ in length",
                expected="one entry per sample in each",
                found=", ".join(f"`{name}` {length}" for name, length in lengths.items()),
                where=where,
            )
        rows = selected_rows(declaration, lengths[keys.labels])
        chosen_rows = slice(rows.start, rows.stop)
        self._count = len(rows)
        self._reader = LabelReader(declaration)
        self._inputs = {name: arrays[key][chosen_rows] for name, key in keys.inputs.items()}
        self._labels = arrays[keys.labels][chosen_rows]
        self._slices = {
            name: tuple(as_text(value) for value in arrays[name][chosen_rows])
            for name in keys.slices
        }

    def __len__(self) -> int:
        return self._count

    def batches(self, size: int) -> Iterator[RawBatch]:
        """Views of the arrays."""
        for first in range(0, self._count, size):
            part = slice(first, first + size)
            yield RawBatch(
                first=first,
                inputs={name: array[part] for name, array in self._inputs.items()},
                labels=self._reader.read(self._labels[part], first),
                slices={name: texts[part] for name, texts in self._slices.items()},
            )


class _IterableDataset(Dataset):
    """Samples that come one by one."""

    data_format = "function"
    axes = ""

    def __init__(self, function: Callable[[], Any], declaration: Declaration) -> None:
        self._function = function
        self._declaration = declaration
        self._reader = LabelReader(declaration)
        with foreign_errors(declaration):
            self._rows = selected_rows(declaration, sum(1 for _ in function()))

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """The samples of one pass through a fresh iterable."""
        return batched(self._samples(), size, self._reader)

    def _samples(self) -> Iterator[Sample]:
        with foreign_errors(self._declaration):
            items = itertools.islice(self._function(), self._rows.start, self._rows.stop)
            for index, item in enumerate(items):
                yield self._sample(item, index)

    def _sample(self, item: object, index: int) -> Sample:
        where = f"{function_name(self._declaration)}, sample {index}"
        if not isinstance(item, tuple) or len(item) not in (_PAIR, _TRIPLE):
            raise DatasetError(
                "not a sample with a label",
                expected="a tuple (sample, label) or (sample, label, slices)",
                found=type(item).__name__,
                where=where,
            )
        values, label, given = item if len(item) == _TRIPLE else (*item, {})
        columns = self._declaration.section.slices
        missing = [name for name in columns if name not in given]
        if missing:
            raise DatasetError(
                f"the sample has no slice `{missing[0]}`",
                where=where,
                next_step="Return (sample, label, slices) with each declared slice",
            )
        named = values if isinstance(values, Mapping) else {"": values}
        return Sample(
            {str(name): np.asarray(array) for name, array in named.items()},
            label,
            {name: as_text(given[name]) for name in columns},
        )
