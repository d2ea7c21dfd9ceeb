"""How often the intervals of a measurement hold the truth: log-normal, bimodal and drifting.

Method: latencies of starts are drawn from a known world, and the intervals of the median, p90 and
p99 and of the ratio of two artefacts are made by the very functions that a measurement uses. Each
start shifts all of its queries by a log-normal factor, as starts do. The truth of a percentile is
that of the median start; the truth of a ratio is the ratio that was planted. In the drifting world
the machine becomes slower by 20 % over the run, in both artefacts of a pair alike; there only the
ratio has one truth.

Intervals come from ranks, so coverage moves in steps: with eight starts, the one nearest to 95 %
from above is 96.1 % for ratios; with six it is 96.9 %.

Command (about three minutes)::

    python benchmarks/measure_coverage.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import clopper_pearson
from edgeworthy.statistics.order_statistics import grouped_percentile_interval
from edgeworthy.statistics.paired_ratio import paired_ratio

Floats = NDArray[np.float64]
World = Callable[[np.random.Generator, int], Floats]

QUERY_COUNT = 1000
TRUE_RATIO = 1.02
START_SPREAD = 0.01
ROUND_COUNT = 12


def log_normal(generator: np.random.Generator, count: int) -> Floats:
    """A long tail."""
    return generator.lognormal(0.0, 0.3, count)


def bimodal(generator: np.random.Generator, count: int) -> Floats:
    """One query in five takes another way, three times as long."""
    slow = generator.random(count) < 0.2  # noqa: PLR2004 - the share of the second hump
    return np.where(slow, 3.0, 1.0) * generator.lognormal(0.0, 0.05, count)


def percentile_coverage(world: World, percent: float, starts: int, trials: int) -> tuple[int, int]:
    """Intervals that hold the true percentile, and all."""
    generator = np.random.default_rng(round(percent * 10) + starts)
    truth = float(np.quantile(world(np.random.default_rng(9), 4_000_000), percent / 100))
    held = 0
    for _ in range(trials):
        shifts = generator.lognormal(0.0, START_SPREAD, starts)
        groups = [world(generator, QUERY_COUNT) * shift for shift in shifts]
        found = grouped_percentile_interval(groups, percent, confidence=0.95, unit="ms")
        if not isinstance(found, Estimate):
            raise TypeError(found.reason)
        held += found.low <= truth <= found.high
    return held, trials


def ratio_coverage(world: World, *, starts: int, drift: float, trials: int) -> tuple[int, int]:
    """Intervals that hold the planted ratio, and all."""
    generator = np.random.default_rng(starts)
    held = 0
    for _ in range(trials):
        slower = np.linspace(1.0, 1.0 + drift, starts * ROUND_COUNT).reshape(starts, ROUND_COUNT, 1)
        shape = (starts, ROUND_COUNT, 20)
        medians = []
        for factor in (TRUE_RATIO, 1.0):
            shifts = generator.lognormal(0.0, START_SPREAD, (starts, 1, 1))
            drawn = world(generator, int(np.prod(shape))).reshape(shape)
            medians.append(np.median(drawn * shifts * slower * factor, axis=2))
        logs = np.median(np.log(medians[0]) - np.log(medians[1]), axis=1)
        found = paired_ratio(np.exp(logs), np.ones(starts))
        ratio = getattr(found, "ratio", None)
        if ratio is None:
            raise TypeError(str(found))
        held += ratio.low <= TRUE_RATIO <= ratio.high
    return held, trials


def rows(trials: int) -> Iterator[str]:
    """The table, line by line."""
    yield "| world | figure | starts | coverage at 95 % | 95 % interval of it |"
    yield "|---|---|---|---|---|"
    for name, world in (("log-normal", log_normal), ("bimodal", bimodal)):
        for percent in (50.0, 90.0, 99.0):
            for starts in (6, 9):
                found = percentile_coverage(world, percent, starts, trials)
                yield row(name, f"p{percent:g}", starts, found)
        for starts in (6, 8):
            found = ratio_coverage(world, starts=starts, drift=0.0, trials=trials)
            yield row(name, "ratio", starts, found)
    for starts in (6, 8):
        found = ratio_coverage(log_normal, starts=starts, drift=0.2, trials=trials)
        yield row("drifting by 20 %", "ratio", starts, found)


def row(world: str, figure: str, starts: int, found: tuple[int, int]) -> str:
    """One line of the table."""
    share = clopper_pearson(*found, confidence=0.95)
    return (
        f"| {world} | {figure} | {starts} | {share.value * 100:.1f} % | "
        f"{share.low * 100:.1f} to {share.high * 100:.1f} % |"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    for line in rows(parser.parse_args().trials):
        print(line, flush=True)


if __name__ == "__main__":
    main()
