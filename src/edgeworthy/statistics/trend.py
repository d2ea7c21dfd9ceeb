"""Do figures taken one after the other rise or fall?

Rules:

1. Kendall's rank test: no shape of the trend and no distribution of the noise is assumed. Its null
   distribution is exact, by counting orders, so that it holds for eight figures too.
   Source: H. B. Mann, *Econometrica* 13 (1945) 245-259; M. G. Kendall, *Biometrika* 30 (1938).
2. The size of a trend is the Theil-Sen slope, which single wild figures do not move.
   Source: P. K. Sen, *JASA* 63 (1968) 1379-1389.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.record import Record

_FEWEST = 3
#: More figures than this are merged with their neighbors, which bounds the number of orders.
_LARGEST_COUNT = 100


class Trend(Record, frozen=True, kw_only=True):
    """A trend over a series.

    Attributes:
        change: From the first figure to the last along the Theil-Sen line, in the series' unit.
        p_value: Chance of at least such an order among figures without a trend; two-sided.
    """

    change: float
    p_value: float


def trend(values: NDArray[Any]) -> Trend:
    """Trend of a series of independent figures.

    Args:
        values: ``(n,)`` in the order in which they were taken.

    >>> trend(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).change
    5.0
    >>> round(trend(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).p_value, 4)
    0.0028
    """
    series = np.asarray(values, dtype=np.float64)
    if len(series) > _LARGEST_COUNT:
        series = np.array([piece.mean() for piece in np.array_split(series, _LARGEST_COUNT)])
    count = len(series)
    if count < _FEWEST:
        return Trend(change=0.0, p_value=1.0)
    earlier, later = np.triu_indices(count, k=1)
    differences = series[later] - series[earlier]
    slope = float(np.median(differences / (later - earlier)))
    distance = int(abs(np.sign(differences).sum()))
    return Trend(change=slope * (count - 1), p_value=_two_sided(count, distance))


def _two_sided(count: int, distance: int) -> float:
    """Chance that concordant and discordant pairs differ by at least ``distance``."""
    probabilities = np.ones(1)
    for size in range(2, count + 1):
        # The newest figure stands before 0 to size - 1 of the others, each equally likely.
        probabilities = np.convolve(probabilities, np.full(size, 1 / size))
    pair_count = count * (count - 1) // 2
    discordant = np.arange(pair_count + 1)
    inside = np.abs(pair_count - 2 * discordant) < distance
    return float(min(max(1.0 - probabilities[inside].sum(), 0.0), 1.0))
