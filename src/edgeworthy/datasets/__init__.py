"""Labelled samples with slices: opening, checking, digesting and preparing them.

:func:`open_dataset` turns a table of the project file into a :class:`Dataset` of any format;
:func:`prepared_batches` turns that into the tensors that a model takes.
"""

from edgeworthy.datasets.archive import npz_bytes
from edgeworthy.datasets.base import Dataset, RawBatch
from edgeworthy.datasets.digests import (
    Survey,
    check_overlap,
    sample_digests,
    summarize,
    summary_of,
    survey,
)
from edgeworthy.datasets.labels import check_labels
from edgeworthy.datasets.npz_rows import Rows, array_names, rows_of
from edgeworthy.datasets.opening import open_dataset
from edgeworthy.datasets.pictures import sample_picture, sample_pictures
from edgeworthy.datasets.preparation import (
    PreparedBatch,
    input_preparations,
    prepared_batches,
)

__all__ = [
    "Dataset",
    "PreparedBatch",
    "RawBatch",
    "Rows",
    "Survey",
    "array_names",
    "check_labels",
    "check_overlap",
    "input_preparations",
    "npz_bytes",
    "open_dataset",
    "prepared_batches",
    "rows_of",
    "sample_digests",
    "sample_picture",
    "sample_pictures",
    "summarize",
    "summary_of",
    "survey",
]
