"""Labelled samples with slices, whatever they are stored in.

Rules:

1. Samples are streamed in batches; a set larger than the memory works.
2. A sample's digest is the sha256 of its raw values with dtype and shape: the same sample has the
   same digest whatever file it came from. The set's digest covers samples, labels and slices in
   order.
3. ``rows`` selects before anything else looks at the samples.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class RawBatch:
    """Consecutive samples as they are stored.

    Attributes:
        first: Index of the first sample in the set.
        inputs: Raw values per model input (``""`` where the source does not name it), one array
            per batch of shape ``(n, ...)``; axes as :attr:`Dataset.axes` says.
        labels: ``(n,)``: class index for classification (int64), value for regression
            (float64), 1 for anomalous and 0 for normal samples.
        slices: Per slice column, ``n`` values as text.
    """

    first: int
    inputs: dict[str, NDArray[Any]]
    labels: NDArray[Any]
    slices: dict[str, tuple[str, ...]]


class Dataset(abc.ABC):
    """Labelled samples in a fixed order.

    Attributes:
        data_format: As in the project file: ``npz``, ``image-folder`` and so on.
        axes: Letters of a raw sample's axes without the batch (``HWC`` for decoded images, ``TC``
            for series, ``T`` for mono sound); empty when samples come in the model's layout.
    """

    data_format: str
    axes: str

    @abc.abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abc.abstractmethod
    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, ``size`` at a time; the last batch may be smaller.

        Raises:
            DatasetError: A sample cannot be read.
        """
