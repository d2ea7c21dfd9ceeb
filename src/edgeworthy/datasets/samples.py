"""From single samples to batches, in bounded memory.

Rules:

1. A batch holds samples of one shape and dtype, at most as many as asked for and at most 64 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import RawBatch
from edgeworthy.datasets.labels import LabelReader

#: A batch ends before it grows larger than this.
BATCH_BYTES = 64 << 20


@dataclass(frozen=True)
class Sample:
    """One sample as it is stored.

    Attributes:
        inputs: Raw values per model input.
        label: A name, an index or a figure.
        slices: Value per slice column.
    """

    inputs: dict[str, NDArray[Any]]
    label: object
    slices: dict[str, str]

    def kind(self) -> list[tuple[str, tuple[int, ...], str]]:
        """What must be equal for two samples to share a batch."""
        return [(name, array.shape, array.dtype.str) for name, array in self.inputs.items()]

    def size_bytes(self) -> int:
        """Memory of the values."""
        return sum(array.nbytes for array in self.inputs.values())


def batched(samples: Iterator[Sample], size: int, labels: LabelReader) -> Iterator[RawBatch]:
    """Join consecutive samples into batches.

    Args:
        samples: In the order of the set.
        size: Most samples of a batch, at least 1.
        labels: Reads the labels.

    Raises:
        DatasetError: A label cannot be read, or the iterator raises it.
    """
    first = 0
    pending: list[Sample] = []
    pending_bytes = 0
    for sample in samples:
        full = len(pending) >= size or pending_bytes + sample.size_bytes() > BATCH_BYTES
        if pending and (full or sample.kind() != pending[0].kind()):
            yield _joined(pending, first, labels)
            first += len(pending)
            pending, pending_bytes = [], 0
        pending.append(sample)
        pending_bytes += sample.size_bytes()
    if pending:
        yield _joined(pending, first, labels)


def _joined(samples: list[Sample], first: int, labels: LabelReader) -> RawBatch:
    head = samples[0]
    return RawBatch(
        first=first,
        inputs={name: np.stack([item.inputs[name] for item in samples]) for name in head.inputs},
        labels=labels.read([item.label for item in samples], first),
        slices={column: tuple(item.slices[column] for item in samples) for column in head.slices},
    )
