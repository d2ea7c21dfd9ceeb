"""Labelled samples with slices, whatever they are stored in.

Rules:

1. Samples are streamed in batches; a set larger than the memory works.
2. A sample's digest is the sha256 of its raw values with dtype and shape: the same sample has the
   same digest whatever file it came from. The set's digest covers samples, labels and slices in
   order.
3. ``rows`` selects before anything else looks at the samples.
4. A batch is rectangular: it ends early where the next sample has another shape, and may end
   early to stay small. Whoever needs batches of one size joins them after preparation.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from edgeworthy.documents.encoded import EncodedArray, EncodedArrays, EncodedSample
from edgeworthy.documents.project import DataSection, Task


@dataclass(frozen=True)
class RawBatch:
    """Consecutive samples as they are stored.

    Attributes:
        first: Index of the first sample in the set.
        inputs: Raw values per model input (``""`` where the source does not name it), one array
            per batch of shape ``(n, ...)``; axes as :attr:`Dataset.axes` says.
        labels: ``(n,)``: class index for classification (int64), value for regression
            (float64), 1 for anomalous and 0 for normal samples, what belongs together for
            embeddings; ``(n, k, 5)`` boxes for detection, ``(n, height, width)`` for segmentation.
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
        sample_rate_hz: Of sound; absent for everything else.
    """

    data_format: str
    axes: str
    sample_rate_hz: int | None = None

    @abc.abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abc.abstractmethod
    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, at most ``size`` at a time.

        Raises:
            DatasetError: A sample cannot be read.
        """

    def encoded(self, count: int) -> Iterator[EncodedSample]:
        """The first samples as a device would receive them; the bytes of arrays unless told.

        Args:
            count: Samples, at most.

        Raises:
            DatasetError: A sample cannot be read.
        """
        for batch in itertools.islice(self.batches(1), count):
            yield encode_arrays(batch.inputs)


def encode_arrays(inputs: Mapping[str, NDArray[Any]]) -> EncodedArrays:
    """The first sample of a batch as the bytes of its arrays.

    Args:
        inputs: Arrays ``(n, ...)`` by input.
    """
    return EncodedArrays(
        arrays={
            name: EncodedArray(
                dtype=array.dtype.str, shape=array.shape[1:], data=array[0].tobytes(order="C")
            )
            for name, array in inputs.items()
        }
    )


@dataclass(frozen=True)
class Declaration:
    """What the project file says of one data set.

    Attributes:
        name: Of the set, for example ``evaluation``.
        section: Its table.
        folder: The project's.
        task: What the labels mean.
        labels: Class names in the order of the model's output; may be empty.
    """

    ANOMALY_LABELS: ClassVar[tuple[str, ...]] = ("normal", "anomalous")

    name: str
    section: DataSection
    folder: Path
    task: Task
    labels: tuple[str, ...]

    @property
    def where(self) -> str:
        """How error messages call the set."""
        return f"data.{self.name}"

    @property
    def path(self) -> Path:
        """The file or folder."""
        return self.folder / self.section.path

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names that a label may have; empty where only figures will do."""
        if self.task == "regression":
            return ()
        if self.task == "anomaly":
            return self.labels or self.ANOMALY_LABELS
        return self.labels
