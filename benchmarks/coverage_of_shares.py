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
    largest_gap,
    normal_quantile,
    paired_difference,
    share_interval,
)
from edgeworthy.statistics.proportions import tango_limits

#: Truths, from and to: rare events are told apart from the rest.
BANDS = ((0.0, 0.01), (0.01, 0.05), (0.05, 0.1), (0.1, 0.5))

#: Shares of two groups.
GAPS = ((0.8, 0.6), (0.9, 0.9), (0.98, 0.95))

#: Samples of two groups.
GROUPS = ((5, 5), (10, 10), (20, 20), (30, 30), (50, 50), (100, 100), (10, 30), (20, 100), (5, 50))

#: Shares of samples that are right before only and right now only.
PAIRS = ((0.01, 0.01), (0.02, 0.005), (0.05, 0.05), (0.1, 0.02), (0.2, 0.1))

#: Rates on which differences and gaps are enumerated, edges included.
_EDGE = np.array([0.0001, 0.001, 0.002, 0.005, 0.015, 0.025, 0.035, 0.045])
TRUTHS = np.sort(np.concatenate([_EDGE, np.arange(1, 100) / 100, 1 - _EDGE]))


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
    """Exact coverage of the difference of two shares on the same samples, and Tango's alone."""
    differing = np.concatenate([TRUTHS, np.linspace(0.001, 0.3, 300), [1.0]])
    other_way = np.concatenate([[0.0, 0.0001], TRUTHS[TRUTHS <= 0.5]])  # noqa: PLR2004
    grid = [(a * (1 - b), a * b) for a in differing for b in other_way]
    many = np.array([a + b > 0.25 for a, b in grid])  # noqa: PLR2004
    z = normal_quantile(0.975)
    for n in (5, 10, 20, 30, 50, 100, 200):
        keys = [(a, b) for a in range(n + 1) for b in range(n + 1 - a)]
        made = [paired_difference(n - a - b, a, b, 0, confidence=0.95) for a, b in keys]
        ours = np.array([(each.low, each.high) for each in made]).T
        tango = np.array([tango_limits(a, b, n, z=z) for a, b in keys]).T
        counts = np.array([(a, b, n - a - b) for a, b in keys])
        ways = math.lgamma(n + 1) - np.vectorize(math.lgamma)(counts + 1.0).sum(axis=1)
        logs = np.column_stack([counts, ways])
        for name, ends in (("ours", ours), ("Tango", tango)):
            every = np.array([_paired_coverage(logs, ends, pair) for pair in grid])
            width = (ends[1] - ends[0]).mean()
            pairs = [_paired_coverage(logs, ends, pair) for pair in PAIRS]
            cells = (every[many].min(), every[~many].min(), every.mean(), width, *pairs)
            yield f"| {name} | {n} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |"


def _paired_coverage(
    tables: NDArray[np.float64], ends: NDArray[np.float64], shares: tuple[float, float]
) -> float:
    """Chance of the tables whose interval holds the difference of two shares.

    Args:
        tables: ``(t, 4)``: right before only, right now only, neither; logarithm of the ways.
        ends: Of their intervals, ``(2, t)``.
        shares: Right before only, right now only.
    """
    more, less = shares
    cells = np.maximum([more, less, 1 - more - less], 1e-300)
    chances = np.exp(tables[:, 3] + tables[:, :3] @ np.log(cells))
    held = (ends[0] - 1e-12 <= more - less) & (more - less <= ends[1] + 1e-12)
    return float(chances[held].sum())


def gaps() -> Iterator[str]:
    """Exact coverage of the largest gap between two groups, ours and Newcombe's."""
    for sizes in GROUPS:
        for name, interval in (("ours", _our_gap), ("Newcombe", _newcombe)):
            made = [
                [interval((a, b), sizes) for b in range(sizes[1] + 1)] for a in range(sizes[0] + 1)
            ]
            ends = np.array(made)
            every = np.array([_gap_coverage(ends, (one, two)) for one in TRUTHS for two in TRUTHS])
            below = np.mean(every < 0.93)  # noqa: PLR2004
            width = (ends[:, :, 1] - ends[:, :, 0]).mean()
            pairs = [_gap_coverage(ends, pair) for pair in GAPS]
            cells = (every.min(), below, every.mean(), width, *pairs)
            of = " and ".join(map(str, sizes))
            yield f"| {name} | {of} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |"


def _our_gap(hits: tuple[int, int], sizes: tuple[int, int]) -> tuple[float, float]:
    gap = largest_gap([np.array(hits)], [np.array(sizes)], confidence=0.95)
    return gap.low, gap.high


def _newcombe(hits: tuple[int, int], sizes: tuple[int, int]) -> tuple[float, float]:
    """The gap as Newcombe made it, with Wilson's arms."""
    one, two = (wilson(k, n, confidence=0.95) for k, n in zip(hits, sizes, strict=True))
    less, more = (one, two) if one.value <= two.value else (two, one)
    gap = more.value - less.value
    low = gap - math.hypot(more.value - more.low, less.high - less.value)
    return max(low, 0.0), gap + math.hypot(more.high - more.value, less.value - less.low)


def _gap_coverage(ends: NDArray[np.float64], shares: tuple[float, float]) -> float:
    """Chance of the tables ``(n + 1, m + 1, 2)`` whose interval holds the gap of two shares."""
    chances = []
    for share, size in zip(shares, ends.shape, strict=False):
        counts = np.arange(size)
        ways = np.array([float(math.comb(size - 1, k)) for k in range(size)])
        chances.append(ways * share**counts * (1 - share) ** (size - 1 - counts))
    gap = abs(shares[0] - shares[1])
    held = (ends[:, :, 0] <= gap + 1e-12) & (gap <= ends[:, :, 1] + 1e-12)
    return float(chances[0] @ held @ chances[1])


def main() -> None:
    """Print the tables."""
    bands = " | ".join(f"mean {low:.0%} to {high:.0%}" for low, high in BANDS)
    print(f"| interval | n | floor | mean | {bands} | truths within 93 to 97 % | below 93 % |")
    print("|---|" + "---|" * (4 + len(BANDS) + 1))
    for line in shares():
        print(line, flush=True)
    pairs = " | ".join(f"{one:.1%} and {two:.1%}" for one, two in PAIRS)
    head = "lowest, more than 25 % differ | lowest, fewer | mean | mean width"
    print(f"\n| interval | n | {head} | {pairs} |\n|---|" + "---|" * (5 + len(PAIRS)))
    for line in paired_shares():
        print(line, flush=True)
    pairs = " | ".join(f"{one:.0%} and {two:.0%}" for one, two in GAPS)
    head = "lowest | below 93 % | mean | mean width"
    print(f"\n| interval | samples | {head} | {pairs} |\n|---|" + "---|" * (5 + len(GAPS)))
    for line in gaps():
        print(line, flush=True)


if __name__ == "__main__":
    main()
