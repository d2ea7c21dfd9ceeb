"""How often intervals of shares hold the truth: exactly, from the distribution of counts.

Shares, differences of two paired shares and gaps between two groups are enumerated over all
counts, so that their coverage has no error of its own. Beside ours stand the intervals that others
use, and the least that any interval with a floor of 93 % can cover.

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

#: Shares of two groups.
GAPS = ((0.8, 0.6), (0.9, 0.9), (0.98, 0.95))


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
    grid = (np.arange(40) + 0.5) / 40
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
        logs, ends = np.column_stack([keys, same, ways]), (low, high)
        every = [_paired_coverage(logs, ends, (a, b)) for a in grid for b in grid if a + b < 1]
        yield f"| anywhere, lowest | {n} | {min(every):.1%} |"
        yield f"| anywhere, mean | {n} | {np.mean(every):.1%} |"
        for pair in ((0.01, 0.01), (0.02, 0.005), (0.05, 0.05), (0.1, 0.02), (0.2, 0.1)):
            found = _paired_coverage(logs, ends, pair)
            yield f"| {pair[0]:.1%} and {pair[1]:.1%} | {n} | {found:.1%} |"


def _paired_coverage(
    tables: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    shares: tuple[float, float],
) -> float:
    """Chance of the tables whose interval holds the difference of two shares.

    Args:
        tables: ``(t, 4)``: right before only, right now only, neither; logarithm of the ways.
        ends: Of their intervals, ``(t,)`` each.
        shares: Right before only, right now only.
    """
    more, less = shares
    chances = np.exp(tables[:, 3] + tables[:, :3] @ np.log([more, less, 1 - more - less]))
    held = (ends[0] - 1e-12 <= more - less) & (more - less <= ends[1] + 1e-12)
    return float(chances[held].sum())


def gaps() -> Iterator[str]:
    """Exact coverage of the largest gap between two groups, ours and with Wilson's arms."""
    grid = (np.arange(40) + 0.5) / 40
    for n in (10, 30, 100):
        for name, interval in (("ours", share_interval), ("Newcombe", wilson)):
            ends = [interval(hits, n, confidence=0.95) for hits in range(n + 1)]
            low, share, high = (
                np.array([getattr(e, end) for e in ends]) for end in ("low", "value", "high")
            )
            gap = share[:, None] - share[None, :]
            most = gap + np.hypot((high - share)[:, None], (share - low)[None, :])
            least = gap - np.hypot((share - low)[:, None], (high - share)[None, :])
            most, least = np.maximum(most, most.T), np.maximum(np.maximum(least, least.T), 0.0)

            every = [_gap_coverage(least, most, (one, two)) for one in grid for two in grid]
            pairs = [_gap_coverage(least, most, pair) for pair in GAPS]
            cells = " | ".join(f"{cell:.1%}" for cell in (min(every), np.mean(every), *pairs))
            yield f"| {name} | {n} | {cells} |"


def _gap_coverage(
    low: NDArray[np.float64], high: NDArray[np.float64], shares: tuple[float, float]
) -> float:
    """Chance of the tables ``(n + 1, n + 1)`` whose interval holds the gap of two shares."""
    n = len(low) - 1
    counts, ways = np.arange(n + 1), np.array([float(math.comb(n, k)) for k in range(n + 1)])
    first, second = (ways * share**counts * (1 - share) ** (n - counts) for share in shares)
    gap = abs(shares[0] - shares[1])
    held = (low <= gap + 1e-12) & (gap <= high + 1e-12)
    return float(first @ held @ second)


def main() -> None:
    """Print the tables."""
    bands = " | ".join(f"mean {low:.0%} to {high:.0%}" for low, high in BANDS)
    print(f"| interval | n | floor | mean | {bands} | truths within 93 to 97 % | below 93 % |")
    print("|---|" + "---|" * (4 + len(BANDS) + 1))
    for line in shares():
        print(line, flush=True)
    print("\n| right before only and right now only | n | coverage |\n|---|---|---|")
    for line in paired_shares():
        print(line, flush=True)
    pairs = " | ".join(f"{one:.0%} and {two:.0%}" for one, two in GAPS)
    print(f"\n| interval | n of each | floor | mean | {pairs} |\n|---|" + "---|" * (3 + len(GAPS)))
    for line in gaps():
        print(line, flush=True)


if __name__ == "__main__":
    main()
