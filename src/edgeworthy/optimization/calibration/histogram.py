"""How often the values of a tensor occur, counted as they pass by.

Rules:

1. Memory is fixed: 8,192 counts, whatever the number of values.
2. The order of the values does not matter: bins have powers of two as their width, and when a value
   does not fit, neighbours are joined in pairs. The same values give the same counts.
3. The smallest and the largest value are kept exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bins, half of them for negative values.
BIN_COUNT = 8192
_HALF = BIN_COUNT // 2
#: Nothing smaller than this is told apart.
_LEAST_REACH = 2.0**-40


@dataclass
class Histogram:
    """Counts of values; bin ``i`` holds those from ``(i - 4096) * width`` on.

    Attributes:
        reach: Half of the interval that is covered, a power of two.
        counts: ``(8192,)``.
        lowest: The smallest value seen, infinite before the first.
        highest: The largest one.

    >>> seen = Histogram()
    >>> seen.add(np.array([0.0, 3.0]))
    >>> seen.reach, seen.value_count, seen.highest
    (4.0, 2, 3.0)
    """

    reach: float = _LEAST_REACH
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BIN_COUNT, np.int64))
    lowest: float = math.inf
    highest: float = -math.inf

    @property
    def width(self) -> float:
        """Of a bin."""
        return self.reach / _HALF

    @property
    def value_count(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    def add(self, values: NDArray[Any]) -> None:
        """Count finite values of any shape."""
        if values.size:
            self.cover(float(values.min()), float(values.max()))
            self.count(values)

    def count(self, values: NDArray[Any]) -> None:
        """Count finite values of any shape within the extremes that were noted."""
        # A width is a power of two: the product is exact in whatever precision values have.
        places = values.reshape(-1) * values.dtype.type(1.0 / self.width)
        np.floor(places, out=places)
        places += _HALF
        found = np.bincount(places.astype(np.intp), minlength=BIN_COUNT)
        self.counts += found[:BIN_COUNT]
        self.counts[-1] += found[BIN_COUNT:].sum()  # what lies at the very edge

    def cover(self, lowest: float, highest: float) -> None:
        """Note extremes that were seen, and make room for them."""
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        farthest = max(-self.lowest, self.highest)
        if farthest > self.reach and not self.counts.any():
            while farthest > self.reach:
                self.reach *= 2.0
        while farthest > self.reach:
            joined = self.counts[::2] + self.counts[1::2]
            self.counts = np.zeros(BIN_COUNT, np.int64)
            self.counts[_HALF // 2 : _HALF // 2 + _HALF] = joined
            self.reach *= 2.0

    def filled(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Middles and counts of the bins from the first to the last that is not empty.

        Middles do not leave the extremes: a bin at the edge stands for what was seen in it.
        """
        places = np.flatnonzero(self.counts)
        if not len(places):
            return np.zeros(0), np.zeros(0)
        chosen = np.arange(places[0], places[-1] + 1)
        middles = (chosen - _HALF + 0.5) * self.width
        return (
            np.clip(middles, self.lowest, self.highest),
            self.counts[chosen].astype(np.float64),
        )
