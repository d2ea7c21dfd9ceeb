"""Groups of samples: all of them, and each value of each slice column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError
from edgeworthy.evaluation.predictions import Predictions

_MOST_SLICE_VALUES = 1000


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the samples.

    Attributes:
        name: ``column=value``, or empty for all samples.
        indices: ``(n,)`` int64: their positions.
    """

    name: str
    indices: NDArray[np.int64]

    @property
    def column(self) -> str:
        """The slice column; empty for all samples."""
        return self.name.partition("=")[0]


def whole(predictions: Predictions) -> Part:
    """All samples."""
    return Part("", np.arange(len(predictions)))


def slices_of(predictions: Predictions) -> tuple[Part, ...]:
    """Each value of each slice column, in order.

    Raises:
        DatasetError: A slice column has over 1000 different values.
    """
    parts: list[Part] = []
    for column, column_values in predictions.slices.items():
        values, codes = np.unique(np.array(column_values, dtype=object), return_inverse=True)
        if len(values) > _MOST_SLICE_VALUES:
            raise DatasetError(
                "too many different values in a slice column",
                where=f"column `{column}`",
                expected=f"at most {_MOST_SLICE_VALUES} groups",
                found=f"{len(values)} different values",
                next_step="Group the values into ranges, or take the column out of `slices`",
            )
        order = np.argsort(codes, kind="stable")
        borders = np.searchsorted(codes[order], np.arange(1, len(values)))
        for value, indices in zip(values, np.split(order, borders), strict=True):
            parts.append(Part(f"{column}={value}", indices))
    return tuple(parts)
