"""A table in a CSV file.

Rules:

1. UTF-8 with a header line, comma-separated; every line has as many cells as the header.
2. A cell that should be a figure and is not, or is empty, is an error with line and column.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.reading import reading
from edgeworthy.datasets.table import Chunk, TableDataset, TableFile
from edgeworthy.errors import DatasetError

_CHUNK_ROWS = 1024


def open_csv(declaration: Declaration) -> TableDataset:
    """A data set in a CSV file.

    Raises:
        DatasetError: It is not a table, or lacks what was declared.
    """
    return TableDataset(CsvFile(declaration.path), declaration)


class CsvFile(TableFile):
    """A CSV file.

    Args:
        path: The file.

    Raises:
        DatasetError: It has no usable header.
    """

    data_format = "csv"
    is_text = True

    def __init__(self, path: Path) -> None:
        self._path = path
        _, self.columns = next(self._lines(), (0, ()))
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice or not any(self.columns):
            raise DatasetError(
                f"the header names `{twice[0]}` twice" if twice else "there is no header line",
                expected="one line of different column names",
                where=str(path),
                next_step="Put the column names into the first line",
            )

    def chunks(self, features: Sequence[str], others: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, some at a time."""
        lines = self._lines()
        next(lines)
        first = 0
        while rows := list(itertools.islice(lines, _CHUNK_ROWS)):
            yield Chunk(
                first=first,
                figures=self._figures(rows, features),
                texts={name: self._texts(rows, name) for name in others},
            )
            first += len(rows)

    def _lines(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Line numbers and cells, the header first; empty lines are passed over."""
        width = 0
        try:
            with reading(self._path), self._path.open(newline="", encoding="utf-8-sig") as stream:
                lines = csv.reader(stream, strict=True)
                for cells in lines:
                    width = width or len(cells)
                    if cells and len(cells) != width:
                        raise DatasetError(
                            "a line of another width than the header",
                            expected=f"{width} cells",
                            found=str(len(cells)),
                            where=f"{self._path}, line {lines.line_num}",
                            next_step="Separate cells by commas and quote text that has some",
                        )
                    if cells:
                        yield lines.line_num, tuple(cells)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"not a CSV file: {error}",
                expected="UTF-8 text, comma-separated",
                where=str(self._path),
                next_step="Export the table again as CSV",
            ) from error

    def _figures(
        self, rows: list[tuple[int, tuple[str, ...]]], features: Sequence[str]
    ) -> NDArray[np.float64]:
        positions = [self.columns.index(name) for name in features]
        figures = np.empty((len(rows), len(positions)), dtype=np.float64)
        for row, (line, cells) in enumerate(rows):
            for feature, position in enumerate(positions):
                figures[row, feature] = self._figure(cells[position], line, position)
        return figures

    def _figure(self, cell: str, line: int, position: int) -> float:
        try:
            # Python reads 1_000 as a number, no other reader of tables does.
            if "_" not in cell:
                return float(cell)
        except ValueError:
            pass
        raise DatasetError(
            "a cell is not a number" if cell.strip() else "a cell is empty",
            found=f"`{cell}`",
            where=f"{self._path}, line {line}, column `{self.columns[position]}`",
            next_step="Correct the cell, or leave the column out by naming the others in `inputs`",
        )

    def _texts(self, rows: list[tuple[int, tuple[str, ...]]], name: str) -> list[str]:
        position = self.columns.index(name)
        for line, cells in rows:
            if not cells[position]:
                raise DatasetError(
                    "a cell is empty",
                    where=f"{self._path}, line {line}, column `{name}`",
                    next_step="Fill it in",
                )
        return [cells[position] for _, cells in rows]
