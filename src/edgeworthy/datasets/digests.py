"""Content digests of samples and sets, and what a set holds.

Rules:

1. A sample's digest covers dtype, shape and values in C order and little-endian: where the sample
   came from, and the name of an only input, make no difference.
2. A set's digest covers the samples with their labels and slices, in order.
3. One pass, one batch in memory at a time.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, RawBatch
from edgeworthy.documents.dataset import DatasetReference, DatasetSummary, SliceCount
from edgeworthy.documents.project import DataSection, Task
from edgeworthy.errors import DatasetError

_BATCH_SIZE = 256
_NAMED_INDICES = 3


@dataclass(frozen=True)
class Survey:
    """What one pass over a set finds.

    Attributes:
        digest: Of the set.
        sample_digests: Of each sample, in order.
        label_counts: Samples per class index; empty unless the task is classification.
        slice_counts: Samples per column and value.
    """

    digest: str
    sample_digests: tuple[str, ...]
    label_counts: tuple[int, ...]
    slice_counts: tuple[SliceCount, ...]


def survey(dataset: Dataset, *, task: Task, labels: Sequence[str]) -> Survey:
    """Digest and count a whole set in one pass.

    Raises:
        DatasetError: A sample cannot be read.
    """
    hasher = hashlib.sha256(b"edgeworthy-dataset-1")
    digests: list[str] = []
    classes: Counter[int] = Counter()
    values: Counter[tuple[str, str]] = Counter()
    for batch in dataset.batches(_BATCH_SIZE):
        for offset, digest in enumerate(_batch_digests(batch)):
            digests.append(f"sha256:{digest.hex()}")
            hasher.update(digest + _label_bytes(batch.labels[offset]))
            for column in sorted(batch.slices):
                hasher.update(_framed(column) + _framed(batch.slices[column][offset]))
        if task == "classification":
            classes.update(batch.labels.tolist())
        for column, texts in batch.slices.items():
            values.update((column, text) for text in texts)
    class_count = max(len(labels), max(classes, default=-1) + 1)
    return Survey(
        digest=f"sha256:{hasher.hexdigest()}",
        sample_digests=tuple(digests),
        label_counts=tuple(classes[index] for index in range(class_count)) if classes else (),
        slice_counts=tuple(
            SliceCount(column=column, value=value, sample_count=count)
            for (column, value), count in sorted(values.items())
        ),
    )


def sample_digests(dataset: Dataset) -> tuple[str, ...]:
    """The digest of each sample, in order.

    Raises:
        DatasetError: A sample cannot be read.
    """
    return tuple(
        f"sha256:{digest.hex()}"
        for batch in dataset.batches(_BATCH_SIZE)
        for digest in _batch_digests(batch)
    )


def summarize(
    dataset: Dataset,
    *,
    name: str,
    section: DataSection,
    task: Task,
    labels: Sequence[str],
) -> DatasetSummary:
    """What a set holds, for the report.

    Raises:
        DatasetError: A sample cannot be read.
    """
    found = survey(dataset, task=task, labels=labels)
    return summary_of(found, dataset, name=name, section=section)


def summary_of(
    found: Survey, dataset: Dataset, *, name: str, section: DataSection
) -> DatasetSummary:
    """The summary of a set that was surveyed already."""
    return DatasetSummary(
        reference=DatasetReference(
            name=name, digest=found.digest, sample_count=len(found.sample_digests)
        ),
        data_format=dataset.data_format,
        label_counts=found.label_counts,
        slices=found.slice_counts,
        license=section.license,
        origin=section.origin,
    )


def check_overlap(
    left_name: str,
    left_digests: Sequence[str],
    right_name: str,
    right_digests: Sequence[str],
) -> None:
    """Refuse two sets that share samples.

    Raises:
        DatasetError: It names how many samples are shared, and the first of them in both sets.
    """
    index_of = {digest: index for index, digest in reversed(list(enumerate(right_digests)))}
    shared = [
        (index, index_of[digest]) for index, digest in enumerate(left_digests) if digest in index_of
    ]
    if not shared:
        return
    pairs = ", ".join(
        f"{left_name}[{left}] = {right_name}[{right}]" for left, right in shared[:_NAMED_INDICES]
    )
    raise DatasetError(
        f"{len(shared)} of {len(left_digests)} samples of `{left_name}` are also in `{right_name}`",
        expected="no shared sample, or the evaluation would flatter the model",
        found=f"{pairs}{' and more' if len(shared) > _NAMED_INDICES else ''}",
        where=f"data.{left_name}",
        next_step="Split the samples anew, for example with `rows`",
    )


def _batch_digests(batch: RawBatch) -> list[bytes]:
    arrays = [(name, _canonical(batch.inputs[name])) for name in sorted(batch.inputs)]
    named = len(arrays) > 1
    return [_sample_digest(arrays, offset, named=named) for offset in range(len(batch.labels))]


def _sample_digest(arrays: list[tuple[str, NDArray[Any]]], offset: int, *, named: bool) -> bytes:
    hasher = hashlib.sha256()
    for name, array in arrays:
        if named:
            hasher.update(_framed(name))
        hasher.update(_framed(f"{array.dtype.str}{array.shape[1:]}"))
        hasher.update(array[offset].tobytes())
    return hasher.digest()


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _label_bytes(label: np.generic | NDArray[Any]) -> bytes:
    if isinstance(label, np.ndarray):
        whole = _canonical(label)
        return _framed(f"{whole.dtype.str}{whole.shape}") + whole.tobytes()
    if label.dtype.kind == "f":
        return struct.pack("<d", float(label))
    return struct.pack("<q", int(label))


def _framed(text: str) -> bytes:
    data = text.encode(errors="surrogateescape")
    return struct.pack("<I", len(data)) + data
