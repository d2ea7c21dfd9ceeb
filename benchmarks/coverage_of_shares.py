"""How often intervals of shares hold the truth: exactly, from the distribution of counts.

Shares, and differences of two paired shares, are enumerated over all counts, so that their coverage
has no error of its own. Beside ours stand the intervals that others use, and the least that any
interval with a floor of 93 % can cover.

    python benchmarks/coverage_of_shares.py
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import (
    clopper_pearson,
    normal_quantile,
    paired_difference,
    share_interval,
)

#: Truths, from and to: rare events are told apart from the rest.
BANDS = ((0.0, 0.01), (0.01, 0.05), (0.05, 0.1), (0.1, 0.5))


def exact_coverage(
    low: NDArray[np.float64], high: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coverage of an interval of a share at each truth, over all counts.

    Args:
        low: Its lower end for each count from 0 to n.
        high: Its upper ends.
        shares: The truths, in (0, 1).
    """
    n = len(low) - 1
    counts = np.arange(n + 1)
    logs = [math.lgamma(k + 1) for k in range(n + 1)]
    ways = logs[n] - np.array(logs) - np.array(logs[::-1])
    chances = ways + counts * np.log(shares[:, None]) + (n - counts) * np.log1p(-shares[:, None])
    covered = (low <= shares[:, None]) & (shares[:, None] <= high)
    return np.asarray((np.exp(chances) * covered).sum(axis=1))


def wilson(hits: int, n: int, *, confidence: float) -> Estimate:
    """What everybody uses, to be compared with."""
    z2, p = normal_quantile((1 + confidence) / 2) ** 2, hits / n
    center = (p + z2 / 2 / n) / (1 + z2 / n)
    arm = math.sqrt(z2 * p * (1 - p) / n + z2 * z2 / 4 / n / n) / (1 + z2 / n)
    low, high = (0.0 if hits == 0 else center - arm), (1.0 if hits == n else center + arm)
    return Estimate(
        value=p, low=low, high=high, confidence=confidence, n=n, method="wilson", unit="ratio"
    )


def shares() -> Iterator[str]:
    """Exact coverage of intervals of shares: floor, mean, and means over bands of rare events."""
    grid = (np.arange(4000) + 0.5) / 4000
    for name, interval in (
        ("ours", share_interval),
        ("Wilson", wilson),
        ("Clopper-Pearson", clopper_pearson),
    ):
        for n in (5, 10, 20, 50, 100, 200, 1000):
            found = [interval(hits, n, confidence=0.95) for hits in range(n + 1)]
            low, high = (np.array([getattr(e, end) for e in found]) for end in ("low", "high"))
            ends = np.concatenate([low, high])
            ends = np.concatenate([ends * (1 - 1e-9), ends * (1 + 1e-9)])
            floor = exact_coverage(low, high, ends[(ends > 0) & (ends < 1)]).min()
            covered = exact_coverage(low, high, grid)
            inside = np.mean((covered >= 0.93) & (covered <= 0.97))  # noqa: PLR2004
            below = np.mean(covered < 0.93)  # noqa: PLR2004
            bands = [exact_coverage(low, high, _within(band)).mean() for band in BANDS]
            cells = [floor, covered.mean(), *bands, inside, below]
            yield f"| {name} | {n} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |"
    for n in (5, 10, 20):
        means = [least_possible(n, _within(band)).mean() for band in ((0.0, 1.0), *BANDS)]
        cells_of = " | ".join(f"{each:.1%}" for each in means)
        yield f"| least possible with a floor of 93 % | {n} | 93 % | {cells_of} | | |"


def _within(band: tuple[float, float]) -> NDArray[np.float64]:
    """Truths that are spread evenly over a band."""
    return np.asarray(band[0] + (band[1] - band[0]) * (np.arange(500) + 0.5) / 500)


def least_possible(n: int, truths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least coverage of at least 93 % that any run of counts has, at each truth."""
    counts, best = np.arange(n + 1), np.ones(len(truths))
    for first in range(n + 1):
        for last in range(first, n + 1):
            low = np.where((counts >= first) & (counts <= last), 0.0, 2.0)
            covered = exact_coverage(low, np.ones(n + 1), truths)
            best = np.where(covered >= 0.93, np.minimum(best, covered), best)  # noqa: PLR2004
    return best


def paired_shares() -> Iterator[str]:
    """Exact coverage of the difference of two shares on the same samples."""
    for n in (10, 20, 50, 100):
        tables: dict[tuple[int, int], Estimate] = {}
        for lost in range(n + 1):
            for gained in range(n + 1 - lost):
                rest = n - lost - gained
                tables[lost, gained] = paired_difference(rest, lost, gained, 0, confidence=0.95)
        keys = np.array(list(tables))
        low, high = (
            np.array([getattr(e, end) for e in tables.values()]) for end in ("low", "high")
        )
        same = n - keys.sum(axis=1)
        lgamma = np.vectorize(math.lgamma)
        ways = math.lgamma(n + 1) - sum(lgamma(part + 1) for part in (*keys.T, same))
        for more, less in ((0.01, 0.01), (0.02, 0.005), (0.05, 0.05), (0.1, 0.02), (0.2, 0.1)):
            chances = np.exp(ways + keys @ np.log([more, less]) + same * math.log1p(-more - less))
            held = (low - 1e-12 <= more - less) & (more - less <= high + 1e-12)
            yield f"| {more:.1%} and {less:.1%} | {n} | {float(chances[held].sum()):.1%} |"


def main() -> None:
    """Print both tables."""
    bands = " | ".join(f"mean {low:.0%} to {high:.0%}" for low, high in BANDS)
    print(f"| interval | n | floor | mean | {bands} | truths within 93 to 97 % | below 93 % |")
    print("|---|" + "---|" * (4 + len(BANDS) + 1))
    for line in shares():
        print(line, flush=True)
    print("\n| right before only and right now only | n | coverage |\n|---|---|---|")
    for line in paired_shares():
        print(line, flush=True)


if __name__ == "__main__":
    main()
