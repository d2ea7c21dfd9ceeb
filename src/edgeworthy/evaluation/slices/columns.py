"""Columns to look for slices in: declared ones, the class, and grouped properties.

Rules:

1. Every column divides all samples into few groups with a name each; a group is never larger than
   the column that it came from has values.
2. A property is cut at its quartiles; equal values stay together, so that there may be fewer than
   four groups. A property with one group says nothing and is left out.
3. Of columns that divide the samples alike, the first is kept.
4. A declared column with over 50 values is left out: its groups would be too small to be a slice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_VALUES = 50


@dataclass(frozen=True, eq=False)
class Column:
    """A division of the samples.

    Attributes:
        name: Of the column.
        codes: ``(n,)``: the group of each sample.
        names: What each group is called.
    """

    name: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def literal(self, code: int) -> str:
        """The group as part of a slice's name."""
        return f"{self.name}={self.names[code]}"


def columns_of(
    declared: Mapping[str, Sequence[str]], properties: Mapping[str, NDArray[np.float64]]
) -> tuple[Column, ...]:
    """All columns that divide the samples.

    Args:
        declared: Per slice column, a value per sample.
        properties: Per property, a number per sample.
    """
    found = [
        *(_declared(name, values) for name, values in declared.items()),
        *(_quartered(name, values) for name, values in properties.items()),
    ]
    kept: dict[bytes, Column] = {}
    for each in found:
        if 1 < len(each.names) <= MOST_VALUES:
            kept.setdefault(_division(each.codes), each)
    return tuple(kept.values())


def _division(codes: NDArray[np.int64]) -> bytes:
    """What is the same for two columns that divide the samples alike."""
    _, first, groups = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[groups.reshape(-1)].astype(np.int64).tobytes()


def _declared(name: str, values: Sequence[str]) -> Column:
    names, codes = np.unique(np.array(values, dtype=object), return_inverse=True)
    return Column(name, codes.astype(np.int64).reshape(-1), tuple(str(each) for each in names))


def _quartered(name: str, values: NDArray[np.float64]) -> Column:
    edges = np.unique(np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf"))
    edges = edges[edges < values.max()]
    codes = np.searchsorted(edges, values, side="left").astype(np.int64)
    bounds = [f"{edge:.3g}" for edge in edges]
    if not bounds:
        return Column(name, codes, ("all",))
    middle = [f"{low} to {high}" for low, high in itertools.pairwise(bounds)]
    return Column(name, codes, (f"up to {bounds[0]}", *middle, f"above {bounds[-1]}"))
