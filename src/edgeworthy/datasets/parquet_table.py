"""A table in a Parquet file, for whoever installed the extra ``parquet``.

Rules:

1. Without pyarrow the error is the command that installs it.
2. A missing value is an error with row and column, as it is in CSV.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.reading import reading
from edgeworthy.datasets.table import Chunk, TableDataset, TableFile
from edgeworthy.errors import DatasetError, MissingExtraError

_CHUNK_ROWS = 4096


def open_parquet(declaration: Declaration) -> TableDataset:
    """A data set in a Parquet file.

    Raises:
        DatasetError: It is not a table, or lacks what was declared.
        MissingExtraError: pyarrow is not installed.
    """
    return TableDataset(ParquetFile(declaration.path), declaration)


class ParquetFile(TableFile):
    """A Parquet file.

    Args:
        path: The file.

    Raises:
        DatasetError: It cannot be read.
        MissingExtraError: pyarrow is not installed.
    """

    data_format = "parquet"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrow, self._parquet = _pyarrow()
        with self._open() as table:
            self.columns = tuple(table.schema_arrow.names)

    def chunks(self, features: Sequence[str], others: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, some at a time."""
        wanted = list(dict.fromkeys((*features, *others)))
        first = 0
        with self._open() as table:
            batches = self._batches(table, wanted)
            for batch in batches:
                figures = [self._figures(batch.column(name), name, first) for name in features]
                yield Chunk(
                    first=first,
                    figures=np.stack(figures, axis=1) if figures else np.empty((len(batch), 0)),
                    texts={name: self._texts(batch.column(name), name, first) for name in others},
                )
                first += len(batch)

    def _open(self) -> Any:  # noqa: ANN401 - pyarrow has no types
        with reading(self._path):
            self._path.open("rb").close()
            try:
                return self._parquet.ParquetFile(self._path)
            except self._arrow.ArrowException as error:
                raise self._damaged(error) from error

    def _batches(self, table: Any, columns: list[str]) -> Iterator[Any]:  # noqa: ANN401 - as above
        try:
            with reading(self._path):
                yield from table.iter_batches(batch_size=_CHUNK_ROWS, columns=columns)
        except self._arrow.ArrowException as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DatasetError:
        return DatasetError(
            f"not a whole Parquet file: {error}",
            where=str(self._path),
            next_step="Write the file again",
        )

    def _figures(self, column: Any, name: str, first: int) -> NDArray[np.float64]:  # noqa: ANN401
        self._check_nulls(column, name, first)
        try:
            values = column.cast(self._arrow.float64(), safe=False)
        except self._arrow.ArrowException as error:
            raise DatasetError(
                "a column does not hold numbers",
                found=str(column.type),
                where=f"{self._path}, column `{name}`",
                next_step="Name the columns of figures in `inputs`",
            ) from error
        figures: NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
        return figures

    def _texts(self, column: Any, name: str, first: int) -> list[object]:  # noqa: ANN401 - as above
        self._check_nulls(column, name, first)
        texts: list[object] = column.to_pylist()
        return texts

    def _check_nulls(self, column: Any, name: str, first: int) -> None:  # noqa: ANN401 - as above
        if column.null_count:
            row = first + column.is_null().to_pylist().index(True)
            raise DatasetError(
                "a value is missing",
                where=f"{self._path}, row {row}, column `{name}`",
                next_step="Fill it in, or leave the column out by naming the others in `inputs`",
            )


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            "Parquet files need pyarrow, which is not installed",
            next_step="Run: pip install 'edgeworthy[parquet]'",
        ) from error
