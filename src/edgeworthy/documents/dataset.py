"""What identifies a set of samples."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.record import Document, Record


class DatasetReference(Record, frozen=True, kw_only=True):
    """A set of samples, by content.

    Attributes:
        name: The name in the project file, for example ``evaluation``.
        digest: sha256 over the samples, labels and slices, in order.
        sample_count: Number of samples.
    """

    name: str
    digest: str
    sample_count: int


class SliceCount(Record, frozen=True, kw_only=True):
    """How many samples have one value in one slice column.

    Attributes:
        column: Name of the slice column.
        value: The value.
        sample_count: Samples with that value.
    """

    column: str
    value: str
    sample_count: int


class DatasetSummary(Document, frozen=True, kw_only=True):
    """What a data set holds, for the report.

    Attributes:
        reference: Name, digest and size.
        data_format: How it is stored.
        label_counts: Samples per label for classification, in label order; empty otherwise.
        slices: Samples per slice value.
        license: SPDX expression, as declared.
        origin: Where the samples came from, as declared.
    """

    KIND: ClassVar[str] = "dataset-summary"

    reference: DatasetReference
    data_format: str
    label_counts: tuple[int, ...] = ()
    slices: tuple[SliceCount, ...] = ()
    license: str = ""
    origin: str = ""
