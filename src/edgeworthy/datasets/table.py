"""Samples in the rows of a table, whatever file the table lies in.

Rules:

1. A table has no dtype: its figures are read as float64.
2. Without ``series`` a row is a sample of shape ``(channels,)``; with it, consecutive rows with
   the same value are one sample of shape ``(time, channels)``, and all have the same length.
3. The rows of a series lie together and agree in their label and slices.
4. Features are the declared columns, or all that are neither label, slice nor series, in order.
"""

from __future__ import annotations

import abc
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, Declaration, RawBatch
from edgeworthy.datasets.keys import label_key, slice_keys
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.datasets.reading import as_text, require_name, selected_rows
from edgeworthy.datasets.samples import Sample, batched
from edgeworthy.documents.encoded import EncodedRows, EncodedSample
from edgeworthy.errors import DatasetError


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows.

    Attributes:
        first: Index of the first row.
        figures: ``(rows, features)`` float64.
        texts: Per other column, one value per row.
    """

    first: int
    figures: NDArray[np.float64]
    texts: dict[str, Sequence[object]]


class TableFile(abc.ABC):
    """A file that holds a table."""

    #: As in the project file.
    data_format: str
    #: Whether cells are read from text.
    is_text: bool = False
    #: Names of the columns, in order.
    columns: tuple[str, ...]

    @abc.abstractmethod
    def chunks(self, features: Sequence[str], others: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, some at a time.

        Args:
            features: Columns to read as figures.
            others: Columns to read as they are.

        Raises:
            DatasetError: A cell is missing or, among the features, not a number.
        """


@dataclass(frozen=True)
class _Row:
    index: int
    figures: NDArray[np.float64]
    label: object
    slices: tuple[str, ...]
    series: str


class TableDataset(Dataset):
    """Samples in the rows of a table.

    Args:
        table: The open table.
        declaration: Of the data set.

    Raises:
        DatasetError: A declared column does not exist, or no feature is left.
    """

    def __init__(self, table: TableFile, declaration: Declaration) -> None:
        where = str(declaration.path)
        known = table.columns
        self.data_format = table.data_format
        self._table = table
        self._where = where
        self._reader = LabelReader(declaration)
        self._label = label_key(declaration, known, what="column", where=where)
        self._slices = slice_keys(declaration, known, what="column", where=where)
        self._series = declaration.section.series
        if self._series:
            require_name(self._series, known, what="column", where=where)
        self.axes = "TC" if self._series else "C"
        self._inputs = self._input_columns(declaration)
        self._features = tuple(dict.fromkeys(itertools.chain(*self._inputs.values())))
        self._rows = selected_rows(declaration, self._count())

    def __len__(self) -> int:
        return len(self._rows)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """All samples in order, at most ``size`` at a time."""
        selected = itertools.islice(self._samples(), self._rows.start, self._rows.stop)
        return batched(selected, size, self._reader)

    def encoded(self, count: int) -> Iterator[EncodedSample]:
        """The first samples as the lines of a text file, or as arrays where there is no text."""
        if not self._table.is_text:
            yield from super().encoded(count)
            return
        positions = {name: index for index, name in enumerate(self._features)}
        inputs = {
            name: tuple(positions[column] for column in columns)
            for name, columns in self._inputs.items()
        }
        last = min(self._rows.start + count, self._rows.stop)
        for lines in itertools.islice(self._texts(), self._rows.start, last):
            text = io.StringIO()
            csv.writer(text).writerows(lines)
            yield EncodedRows(
                data=text.getvalue().encode(), inputs=inputs, is_series=bool(self._series)
            )

    def _texts(self) -> Iterator[list[tuple[object, ...]]]:
        """Cells of the features of each sample, row by row, as they stand in the file."""
        names = tuple(dict.fromkeys((*self._features, *((self._series,) if self._series else ()))))
        rows = (
            {name: chunk.texts[name][offset] for name in names}
            for chunk in self._table.chunks((), names)
            for offset in range(len(chunk.figures))
        )
        groups = (
            (list(group) for _, group in itertools.groupby(rows, key=lambda row: row[self._series]))
            if self._series
            else ([row] for row in rows)
        )
        for group in groups:
            yield [tuple(row[name] for name in self._features) for row in group]

    def _input_columns(self, declaration: Declaration) -> dict[str, tuple[str, ...]]:
        known = self._table.columns
        declared = {
            name: (columns,) if isinstance(columns, str) else columns
            for name, columns in declaration.section.inputs.items()
        }
        for column in itertools.chain(*declared.values()):
            require_name(column, known, what="column", where=self._where)
        taken = {self._label, self._series, *self._slices}
        inputs = declared or {"": tuple(name for name in known if name not in taken)}
        for name, columns in inputs.items():
            if not columns:
                raise DatasetError(
                    f"no column is left for input `{name}`" if name else "no feature column",
                    expected="at least one column of figures",
                    where=self._where,
                    next_step="Name the columns in `inputs`",
                )
        return inputs

    def _count(self) -> int:
        if not self._series:
            return sum(len(chunk.figures) for chunk in self._table.chunks((), ()))
        chunks = self._table.chunks((), (self._series,))
        values = (as_text(value) for chunk in chunks for value in chunk.texts[self._series])
        return sum(1 for _ in itertools.groupby(values))

    def _all_rows(self) -> Iterator[_Row]:
        series = (self._series,) if self._series else ()
        others = tuple(dict.fromkeys((self._label, *self._slices, *series)))
        for chunk in self._table.chunks(self._features, others):
            for offset, figures in enumerate(chunk.figures):
                texts = {name: chunk.texts[name][offset] for name in others}
                yield _Row(
                    index=chunk.first + offset,
                    figures=figures,
                    label=texts[self._label],
                    slices=tuple(as_text(texts[name]) for name in self._slices),
                    series=as_text(texts[self._series]) if self._series else "",
                )

    def _samples(self) -> Iterator[Sample]:
        if not self._series:
            for row in self._all_rows():
                yield self._sample(row, row.figures)
            return
        seen: set[str] = set()
        length = 0
        for name, group in itertools.groupby(self._all_rows(), key=lambda row: row.series):
            rows = list(group)
            if name in seen:
                raise self._broken_series(name, "its rows do not lie together", "Sort the table")
            seen.add(name)
            length = length or len(rows)
            self._check_series(name, rows, length)
            yield self._sample(rows[0], np.stack([row.figures for row in rows]))

    def _check_series(self, name: str, rows: list[_Row], length: int) -> None:
        if len(rows) != length:
            raise self._broken_series(
                name,
                f"it has {len(rows)} rows where the first series has {length}",
                "Cut or pad all series to one length",
            )
        labels = {as_text(row.label) for row in rows}
        if len(labels) > 1 or len({row.slices for row in rows}) > 1:
            raise self._broken_series(
                name,
                "its rows disagree about its label or slices",
                "Give every row of a series the same label and slices",
            )

    def _broken_series(self, name: str, problem: str, next_step: str) -> DatasetError:
        return DatasetError(f"series `{name}`: {problem}", where=self._where, next_step=next_step)

    def _sample(self, row: _Row, figures: NDArray[np.float64]) -> Sample:
        position = {name: index for index, name in enumerate(self._features)}
        inputs = {
            name: figures[..., [position[column] for column in columns]]
            for name, columns in self._inputs.items()
        }
        return Sample(inputs, row.label, dict(zip(self._slices, row.slices, strict=True)))
