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
        result = np.empty_like(stored, order="C")
        # Few values at a time stay in the processor's cache.
        step = max(1, _CHUNK_VALUES // max(1, stored[0].size))
        for first in range(0, len(stored), step):
            part = slice(first, first + step)
            result[part] = self._made(stored[part])
        return dataclasses.replace(batch, inputs={**batch.inputs, name: result})

    def _made(self, stored: NDArray[Any]) -> NDArray[Any]:
        corruption, severity = self._condition.corruption, self._condition.severity
        if isinstance(corruption, ByteImageCorruption) and self._form.holds_bytes(stored):
            return corruption.apply_to_bytes(stored, corruption.levels[severity - 1])
        draws = Draws(self._condition.seed, corruption.name, SampleKeys(stored))
        made = corruption.corrupt(self._form.opened(stored), severity, draws, self._facts)
        return self._form.closed(made, stored)
