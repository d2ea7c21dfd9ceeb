"""What must hold of every data set, checked in one place while it is read.

Rules:

1. A set has at least two samples, and as many as it said when it was opened.
2. Every input, label and slice column of a batch has one entry per sample.
3. Values are numbers, and finite; the error names the first sample that is not.
4. Class indices lie within the declared labels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.documents.encoded import EncodedSample
from edgeworthy.errors import DatasetError

_LEAST_SAMPLES = 2


class GuardedDataset(Dataset):
    """A data set that is checked while it is read.

    Args:
        dataset: Any data set.
        declaration: What the project file says of it.

    Raises:
        DatasetError: It has fewer than two samples.
    """

    def __init__(self, dataset: Dataset, declaration: Declaration) -> None:
        self._dataset = dataset
        self._where = declaration.where
        self._labels = LabelReader(declaration)
        self._count = len(dataset)
        self.data_format = dataset.data_format
        self.axes = dataset.axes
        self.sample_rate_hz = dataset.sample_rate_hz
        if self._count < _LEAST_SAMPLES:
            raise DatasetError(
                "too few samples: one figure has no spread, so nothing can be inferred from it",
                expected=f"at least {_LEAST_SAMPLES} samples",
                found=str(self._count),
                where=self._where,
                next_step="Add samples, or check `path` and `rows`",
            )

    def __len__(self) -> int:
        return self._count

    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, checked."""
        if size < 1:
            raise ValueError(f"a batch holds at least one sample, not {size}")
        seen = 0
        for batch in self._dataset.batches(size):
            count = len(batch.labels)
            self._check_lengths(batch, seen, count)
            self._check_values(batch)
            self._labels.check_range(batch.labels, batch.first)
            seen += count
            if count:
                yield batch
        if seen != self._count:
            raise DatasetError(
                "the number of samples changed while it was read",
                expected=f"{self._count} samples",
                found=str(seen),
                where=self._where,
                next_step="Let nothing write to the data during a build",
            )

    def encoded(self, count: int) -> Iterator[EncodedSample]:
        """The first samples as a device would receive them; checked when they are decoded."""
        return self._dataset.encoded(count)

    def _check_lengths(self, batch: RawBatch, seen: int, count: int) -> None:
        lengths = {_called(name): len(array) for name, array in batch.inputs.items()}
        lengths |= {f"slice `{name}`": len(values) for name, values in batch.slices.items()}
        if not batch.inputs:
            raise DatasetError("a batch without inputs", where=self._where)
        if batch.first != seen:
            raise DatasetError(
                "batches out of order",
                expected=f"sample {seen} next",
                found=str(batch.first),
                where=self._where,
            )
        for what, length in lengths.items():
            if length != count:
                raise DatasetError(
                    f"{what} and the labels differ in length",
                    expected=f"{count} entries",
                    found=str(length),
                    where=f"{self._where}, from sample {seen}",
                )

    def _check_values(self, batch: RawBatch) -> None:
        for name, array in batch.inputs.items():
            what = _called(name)
            if array.dtype.kind not in "biuf":
                raise DatasetError(
                    f"{what} does not hold numbers",
                    expected="integers, floats or booleans",
                    found=f"dtype {array.dtype}",
                    where=self._where,
                    next_step="Store the samples as an array of numbers",
                )
            if array.size == 0 and len(array):
                raise DatasetError(
                    f"{what} holds no values",
                    found=f"shape {array.shape[1:]} per sample",
                    where=f"{self._where}, sample {batch.first}",
                )
            if array.dtype.kind != "f" or np.isfinite(array).all():
                continue
            finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
            raise DatasetError(
                f"{what} holds NaN or infinity",
                expected="finite values",
                where=f"{self._where}, sample {batch.first + int(np.argmin(finite))}",
                next_step="Correct or remove the sample",
            )


def _called(name: str) -> str:
    return f"input `{name}`" if name else "the input"
