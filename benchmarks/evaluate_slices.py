"""How often a search for slices finds something where there is nothing, and what it misses.

Null sets: columns and losses are drawn independently of each other. A find, of either kind, is a
false discovery. Planted sets: two columns meet in about a tenth of the samples, where the error
rate (or the loss against the original) is higher by a number of points.

    python benchmarks/evaluate_slices.py [SETS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.samples import Losses
from edgeworthy.evaluation.slices.columns import Column, columns_of
from edgeworthy.evaluation.slices.found import FoundSlices, find_slices
from edgeworthy.evaluation.slices.search import SearchPlan
from edgeworthy.statistics import clopper_pearson

_PLAN = SearchPlan(deals=399)
_NAME = "site=east and light=night"


def world(random: np.random.Generator, n: int) -> tuple[tuple[Column, ...], NDArray[np.bool_]]:
    """Six columns of several kinds, and where two of them meet."""
    site = random.choice(["north", "south", "west", "east"], n, p=[0.35, 0.25, 0.2, 0.2])
    light = random.choice(["day", "night"], n)
    columns = columns_of(
        {
            "site": site.tolist(),
            "light": light.tolist(),
            "class": random.integers(0, 10, n).astype(str).tolist(),
        },
        {
            "brightness": random.normal(size=n),
            "contrast": random.gamma(2.0, size=n),
            "length": random.poisson(9.0, n).astype(np.float64),
        },
    )
    return columns, np.asarray((site == "east") & (light == "night"))


def judged(random: np.random.Generator, n: int, rate: float, points: float) -> FoundSlices:
    """A search in which the second model is worse by some points where two columns meet."""
    columns, hidden = world(random, n)
    before = (random.random(n) < rate).astype(np.float64)
    flips = random.random(n) < np.where(hidden, rate / 4 + points, rate / 4)
    after = np.where(flips, 1.0 - before, before)
    losses = Losses(after, "accuracy")
    return find_slices(losses, Losses(before, "accuracy"), columns, _PLAN)


def anything(random: np.random.Generator, n: int, rate: float) -> bool:
    """Whether anything is found where there is nothing."""
    return bool(judged(random, n, rate, 0.0).slices)


def hurt(random: np.random.Generator, n: int, points: float, *, exactly: bool) -> bool:
    """Whether a planted slice is found, and called by its name."""
    names = [each.slice for each in judged(random, n, 0.1, points).slices if each.kind == "hurt"]
    return _NAME in names if exactly else bool(names)


def share(sets: int, outcome: Callable[[np.random.Generator], bool], seed: int) -> str:
    """A share of sets with its exact 95 % interval."""
    hits = sum(outcome(np.random.default_rng((seed, at))) for at in range(sets))
    found = clopper_pearson(hits, sets, confidence=0.95)
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%}), {sets} sets"


def main() -> None:
    """Print both tables."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| samples | error rate | sets with any false discovery |\n|---|---|---|")
    for seed, (n, rate) in enumerate([(300, 0.02), (300, 0.2), (1000, 0.05), (3000, 0.1)]):
        said = share(sets, partial(anything, n=n, rate=rate), seed)
        print(f"| {n:,} | {rate:.0%} | {said} |", flush=True)
    print("\n| samples | points lost where two columns meet | found | and named exactly |")
    print("|---|---|---|---|")
    for seed, (n, points) in enumerate([(1000, 0.05), (1000, 0.1), (3000, 0.05), (3000, 0.1)]):
        found, exact = (
            share(sets // 5, partial(hurt, n=n, points=points, exactly=each), 100 + seed)
            for each in (False, True)
        )
        print(f"| {n:,} | {100 * points:.0f} | {found} | {exact} |", flush=True)


if __name__ == "__main__":
    main()
