"""When a series of throughputs changes its level, and when it stands still.

Rules:

1. Levels are looked for in logarithms, so that a fall to a half counts the same at any speed.
2. The split into levels has the least squared error plus a penalty for each level (optimal
   partitioning); the noise is that between neighboring windows. Source: Jackson et al., IEEE
   Signal Processing Letters 12 (2005) 105-108.
3. A level is a median and lasts a few windows: a single late window is no change.
4. Neighboring levels that differ by less than a change that would matter are one.
5. Stationarity is what the KPSS test finds nothing against. Source: Kwiatkowski, Phillips,
   Schmidt and Shin, Journal of Econometrics 54 (1992) 159-178.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: A window or two may stumble; what lasts this many is a level.
SHORTEST_LEVEL = 3
_SMALLEST_NOISE = 0.002
_PENALTY = 6.0
_MAD_TO_SIGMA = 1.4826
#: 5 % level of the KPSS statistic for a constant.
_KPSS_CRITICAL = 0.463
_FEWEST_FOR_KPSS = 20


@dataclass(frozen=True)
class Level:
    """A stretch of windows that run alike.

    Attributes:
        first: Index of its first window.
        end: Index after its last window.
        height: Median throughput.
    """

    first: int
    end: int
    height: float


def find_levels(throughputs: NDArray[np.float64], *, least_change: float) -> tuple[Level, ...]:
    """Split a series into levels.

    Args:
        throughputs: ``(n,)``, above 0.
        least_change: Neighboring levels differ by at least this share.

    >>> [level.end for level in find_levels(np.array([9.0] * 9 + [5.0] * 6), least_change=0.05)]
    [9, 15]
    """
    logs = np.log(throughputs)
    edges = _partition(logs)
    while True:
        heights = [float(np.median(logs[a:b])) for a, b in itertools.pairwise(edges)]
        steps = [abs(b - a) for a, b in itertools.pairwise(heights)]
        if not steps or min(steps) >= -math.log1p(-least_change):
            break
        del edges[int(np.argmin(steps)) + 1]
    return tuple(
        Level(first, end, math.exp(height))
        for first, end, height in zip(edges, edges[1:], heights, strict=False)
    )


def _partition(logs: NDArray[np.float64]) -> list[int]:
    """Edges of the levels, from 0 to n."""
    count = len(logs)
    if count < 2 * SHORTEST_LEVEL:
        return [0, count]
    penalty = _PENALTY * _noise(logs) ** 2 * math.log(count)
    sums = np.concatenate(([0.0], np.cumsum(logs)))
    squares = np.concatenate(([0.0], np.cumsum(logs**2)))
    best = np.full(count + 1, np.inf)
    best[0] = -penalty
    previous = np.zeros(count + 1, dtype=np.int64)
    for end in range(SHORTEST_LEVEL, count + 1):
        firsts = np.arange(end - SHORTEST_LEVEL + 1)
        lengths = end - firsts
        error = squares[end] - squares[firsts] - (sums[end] - sums[firsts]) ** 2 / lengths
        costs = best[firsts] + error + penalty
        previous[end] = int(np.argmin(costs))
        best[end] = costs[previous[end]]
    edges = [count]
    while edges[-1] > 0:
        edges.append(int(previous[edges[-1]]))
    return edges[::-1]


def _noise(logs: NDArray[np.float64]) -> float:
    """Standard deviation between neighbors, whatever the levels do."""
    differences = np.diff(logs)
    spread = float(np.median(np.abs(differences - np.median(differences))))
    return max(_MAD_TO_SIGMA * spread / math.sqrt(2), _SMALLEST_NOISE)


def stationary_from(throughputs: NDArray[np.float64], levels: tuple[Level, ...]) -> int | None:
    """Index of the window from which the series stands still to its end.

    Args:
        throughputs: ``(n,)``, above 0.
        levels: Of the series; what stands still has no change of level in it.

    Returns:
        The first index that a test finds nothing against, or ``None``: at least twenty windows
        and a fifth of the run must be left for a verdict.
    """
    count = len(throughputs)
    logs = np.log(throughputs)
    least = max(_FEWEST_FOR_KPSS, count // 5)
    step = max(count // 40, 1)
    for first in range(levels[-1].first, count - least + 1, step):
        if kpss_statistic(logs[first:]) < _KPSS_CRITICAL:
            return first
    return None


def kpss_statistic(values: NDArray[np.float64]) -> float:
    """The KPSS statistic of a series around a constant; above 0.463 it is not stationary (5 %).

    Args:
        values: ``(n,)``, at least twenty.
    """
    count = len(values)
    residuals = values - values.mean()
    lags = min(math.ceil(12.0 * (count / 100.0) ** 0.25), count - 1)
    variance = float(residuals @ residuals)
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(residuals[lag:] @ residuals[:-lag])
    variance /= count
    if variance <= np.finfo(np.float64).tiny:
        return 0.0
    partial_sums = np.cumsum(residuals)
    return float(partial_sums @ partial_sums) / (count**2 * variance)
