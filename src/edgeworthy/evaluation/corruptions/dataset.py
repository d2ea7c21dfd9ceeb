"""A data set with one corruption at one severity, as a data set.

Rules:

1. Corruptions act on raw samples, before resizing, normalizing and everything else that the device
   does too.
2. Labels, slices and order stay; only one input changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, RawBatch
from edgeworthy.evaluation.corruptions.base import Facts
from edgeworthy.evaluation.corruptions.draws import Draws, SampleKeys
from edgeworthy.evaluation.corruptions.forms import Form
from edgeworthy.evaluation.corruptions.pixels import ByteImageCorruption
from edgeworthy.evaluation.corruptions.registry import AnyCorruption

_CHUNK_VALUES = 1 << 18
#: Samples that are read once for all corruptions; more are read again for each.
MOST_KEPT_BYTES = 256 << 20


@dataclass(frozen=True)
class Condition:
    """One corruption at one severity.

    Attributes:
        corruption: Which one.
        severity: 0 to 5.
        seed: Of the run.
    """

    corruption: AnyCorruption
    severity: int
    seed: int


class CorruptedDataset(Dataset):
    """Samples under a condition.

    Args:
        dataset: The samples as they are.
        form: How they are stored.
        facts: Of the set as a whole.
        condition: What is done to them.
        name: The input that is corrupted; empty for the only one.
    """

    def __init__(
        self, dataset: Dataset, form: Form, facts: Facts, condition: Condition, *, name: str = ""
    ) -> None:
        self._dataset = dataset
        self._form = form
        self._facts = facts
        self._condition = condition
        self._name = name
        self.data_format = dataset.data_format
        self.axes = dataset.axes
        self.sample_rate_hz = dataset.sample_rate_hz

    def __len__(self) -> int:
        return len(self._dataset)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, corrupted."""
        for batch in self._dataset.batches(size):
            yield self._corrupted(batch)

    def _corrupted(self, batch: RawBatch) -> RawBatch:
        name = self._name if self._name in batch.inputs else ""
        stored = batch.inputs[name]
        if self._condition.severity == 0:
            return batch
        corruption = self._condition.corruption
        if isinstance(corruption, ByteImageCorruption) and self._form.holds_bytes(stored):
            level = corruption.levels[self._condition.severity - 1]
            made = corruption.apply_to_bytes(stored, level)
            return dataclasses.replace(batch, inputs={**batch.inputs, name: made})
        result = np.empty_like(stored, order="C")
        # Few values at a time stay in the processor's cache.
        step = max(1, _CHUNK_VALUES // max(1, stored[0].size))
        for first in range(0, len(stored), step):
            part = slice(first, first + step)
            result[part] = self._made(stored[part])
        return dataclasses.replace(batch, inputs={**batch.inputs, name: result})

    def _made(self, stored: NDArray[Any]) -> NDArray[Any]:
        corruption, severity = self._condition.corruption, self._condition.severity
        draws = Draws(self._condition.seed, corruption.name, SampleKeys(stored))
        made = corruption.corrupt(self._form.opened(stored), severity, draws, self._facts)
        return self._form.closed(made, stored)


class ThinnedDataset(Dataset):
    """Some samples of a set, evenly spread; kept in memory when they are few.

    Args:
        dataset: All samples.
        every: The first of each so many is taken.
    """

    def __init__(self, dataset: Dataset, every: int) -> None:
        self._dataset = dataset
        self._every = every
        self._kept: list[RawBatch] = []
        self._all_kept = False
        self.data_format = dataset.data_format
        self.axes = dataset.axes
        self.sample_rate_hz = dataset.sample_rate_hz

    def __len__(self) -> int:
        return (len(self._dataset) + self._every - 1) // self._every

    def batches(self, size: int) -> Iterator[RawBatch]:
        """The chosen samples in order; a batch may hold fewer than ``size``."""
        if self._all_kept:
            yield from self._kept
            return
        kept: list[RawBatch] = []
        held_bytes = 0
        for batch in self._dataset.batches(size):
            part = self._part(batch)
            if part is None:
                continue
            held_bytes += sum(array.nbytes for array in part.inputs.values())
            if held_bytes <= MOST_KEPT_BYTES:
                kept.append(part)
            yield part
        if held_bytes <= MOST_KEPT_BYTES:
            self._kept, self._all_kept = kept, True

    def _part(self, batch: RawBatch) -> RawBatch | None:
        every = self._every
        start = -batch.first % every
        if start >= len(batch.labels):
            return None
        # Copies: a view would keep the whole batch in memory.
        return RawBatch(
            first=(batch.first + start) // every,
            inputs={name: array[start::every].copy() for name, array in batch.inputs.items()},
            labels=batch.labels[start::every].copy(),
            slices={column: texts[start::every] for column, texts in batch.slices.items()},
        )
