"""How often the intervals of an evaluation hold the truth, where the truth is known.

Figures are drawn anew many times from models whose true figure comes from one very large draw; the
interval beside a coverage is the simulation's own. Shares need no simulation:
``coverage_of_shares.py`` enumerates them.

    python benchmarks/evaluate_coverage.py [--draws 1000] [--only anomaly,gaps]
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from coverage_models import Draw, alarms, classifier, detector, regressor, segmenter

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation import EvaluationSettings
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Samples
from edgeworthy.evaluation.tasks import find_task
from edgeworthy.evaluation.temperature import fit_temperature
from edgeworthy.statistics import (
    clopper_pearson,
    largest_gap,
    normal_quantile,
)
from edgeworthy.statistics.clustered import clustered_share, ratio_of_means

_LARGE = 100_000
_HOT = 2.0
_RESAMPLES = 400


@dataclass(frozen=True)
class Case:
    """Models whose figures are known, and the figures that are held against that."""

    title: str
    task: str
    draw: Draw
    metrics: tuple[str, ...]
    sizes: tuple[int, ...]
    slower: int = 1
    large: int = _LARGE


CLASSIFIED = (
    "expected_calibration_error",
    "debiased_calibration_error",
    "overconfidence",
    "balanced_accuracy",
    "macro_f1",
)
RANKED = ("auroc", "average_precision", "partial_auroc", "f1_at_threshold")
ERRORS = ("mean_absolute_error", "root_mean_squared_error", "r_squared")
BOXES = ("mean_average_precision", "average_precision_50", "average_precision_75")
CASES = (
    Case("74 % right, calibrated", "classification", classifier(1, 2), CLASSIFIED, (20, 100, 500)),
    Case("74 % right, too sure", "classification", classifier(2, 2), CLASSIFIED, (20, 100, 500)),
    Case("99 % right, too sure", "classification", classifier(2, 4), CLASSIFIED, (20, 100, 500)),
    Case(
        "one class of five is 2 %",
        "classification",
        classifier(1, 2.5, (0.4, 0.3, 0.2, 0.08, 0.02)),
        ("balanced_accuracy", "macro_f1"),
        (50, 200, 1000),
    ),
    Case("half anomalous, area 0.92", "anomaly", alarms(0.5, 2.0), RANKED, (20, 100, 500)),
    Case("2 % anomalous, area 0.92", "anomaly", alarms(0.02, 2.0), RANKED, (200, 1000, 3000)),
    Case("20 % anomalous, area 0.996", "anomaly", alarms(0.2, 3.8), RANKED, (30, 100, 500)),
    Case("normal errors", "regression", regressor(heavy=False), ERRORS, (10, 30, 100, 500)),
    Case("heavy tails", "regression", regressor(heavy=True), ERRORS, (10, 30, 100, 500)),
    Case(
        "three classes alike",
        "segmentation",
        segmenter(1 / 3),
        ("mean_iou", "pixel_accuracy"),
        (10, 30, 100, 300),
    ),
    Case("one class is 1 %", "segmentation", segmenter(0.01), ("mean_iou",), (10, 30, 100, 300)),
    Case("boxes", "detection", detector, BOXES, (20, 50, 200), slower=4, large=10_000),
)


def coverage(case: Case, draws: int) -> Iterator[str]:
    """Rows of the table: every figure and its drop."""
    settings = EvaluationSettings(task=case.task, threshold=1.0)  # type: ignore[arg-type] # ours
    task = find_task(settings.task)
    chosen = [each for each in task.metrics if each.definition.name in case.metrics]

    def judged(seed: tuple[int, ...], n: int) -> list[Samples]:
        drawn = case.draw(np.random.default_rng(seed), n)
        return [task.decode(said, settings) for said in drawn]

    def found(seed: tuple[int, ...], n: int, plan: IntervalPlan) -> list[Sequence[Estimate]]:
        subject, original = judged(seed, n)
        return [
            some
            for each in chosen
            for some in (
                each.estimates(subject, original, plan),
                each.drops(subject, original, plan),
            )
        ]

    truth = found((99,), case.large, IntervalPlan((0.95,), 0, 2))
    names = [f"`{each.definition.name}`{end}" for each in chosen for end in ("", ", drop")]
    for n in case.sizes:
        hits, given = np.zeros(len(names)), np.zeros(len(names))
        repeats = max(50, draws // case.slower // (4 if n > 500 else 1))  # noqa: PLR2004
        for at in range(repeats):
            said = found((n, at), n, IntervalPlan((0.95,), at, _RESAMPLES))
            for row, (one, value) in enumerate(zip(said, truth, strict=True)):
                if one and value:
                    given[row] += 1
                    hits[row] += one[0].low - 1e-9 <= value[0].value <= one[0].high + 1e-9
        for row, name in enumerate(names):
            if given[row]:
                true = truth[row][0].value
                yield row_of(name, case.title, true, n, (int(hits[row]), int(given[row])))


def row_of(name: str, title: str, value: float, n: int, counted: tuple[int, int]) -> str:
    """A row with the interval of the coverage itself."""
    found = clopper_pearson(*counted, confidence=0.95)
    covered = f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
    return f"| {name} | {title} | {value:.4f} | {n} | {covered}, {counted[1]} sets |"


def temperature(draws: int) -> Iterator[str]:
    """The temperature of a classifier that is twice as sharp as it should be."""
    settings = EvaluationSettings(task="classification")
    for n in (50, 200, 1000):
        hits = refused = 0
        for at in range(draws):
            said, _ = classifier(_HOT, 1.5)(np.random.default_rng((n, at)), n)
            found = fit_temperature(said, settings).temperature
            refused += found is None
            hits += found is not None and found.low <= _HOT <= found.high
        yield row_of("temperature", "twice as sharp", _HOT, n, (hits, draws - refused))


def gaps(draws: int) -> Iterator[str]:
    """The largest gap of a share between groups."""
    for shares in ((0.8, 0.6), (0.98, 0.95), (0.9, 0.9)):
        for n in (30, 100, 500):
            random = np.random.default_rng(n)
            hits = 0
            for drawn in random.binomial(n, shares, (draws, 2)):
                found = largest_gap([drawn], [np.full(2, n)], confidence=0.95)
                hits += found.low <= shares[0] - shares[1] + 1e-12 <= found.high + 2e-12
            title = f"{shares[0]:.0%} and {shares[1]:.0%}"
            yield row_of("disparity", title, shares[0] - shares[1], n, (hits, draws))


def conditions(draws: int) -> Iterator[str]:
    """Means over 20 conditions on the same samples, and errors relative to the original's."""
    for share in (0.6, 0.9, 0.98):
        edge = normal_quantile(share)
        worse = normal_quantile(max(share - 0.05, 0.5))
        for n in (20, 100, 500):
            hits = np.zeros(3, dtype=np.int64)
            for at in range(draws):
                random = np.random.default_rng((n, at))
                common = math.sqrt(0.5) * random.standard_normal(n)
                seen = common + math.sqrt(0.5) * random.standard_normal((20, n))
                before, after = seen < edge, seen < worse
                mean = clustered_share(before, confidence=0.95)
                hits[0] += mean.low <= share <= mean.high
                ratio = ratio_of_means(
                    1 - after.mean(axis=0), 1 - before.mean(axis=0), confidence=0.95
                )
                if ratio is not None:
                    truth = (1 - max(share - 0.05, 0.5)) / (1 - share)
                    hits[1] += ratio.low <= truth <= ratio.high
                    hits[2] += 1
            yield row_of("mean over conditions", "", share, n, (int(hits[0]), draws))
            relative = (1 - max(share - 0.05, 0.5)) / (1 - share)
            yield row_of("relative error", "", relative, n, (int(hits[1]), int(hits[2])))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How often intervals hold the truth.")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", default="", help="parts, for example anomaly,gaps")
    given = parser.parse_args()
    parts: list[tuple[str, Callable[[], Iterator[str]]]] = [
        (case.task, functools.partial(coverage, case, given.draws)) for case in CASES
    ]
    parts += [
        ("temperature", functools.partial(temperature, given.draws)),
        ("gaps", functools.partial(gaps, given.draws)),
        ("conditions", functools.partial(conditions, given.draws)),
    ]
    known = dict.fromkeys(name for name, _ in parts)
    only = set(filter(None, given.only.split(","))) or set(known)
    if unknown := sorted(only - set(known)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(known)}")
    print("| figure | model | truth | n | coverage at 95 % |\n|---|---|---|---|---|")
    for name, lines in parts:
        if name in only:
            for line in lines():
                print(line, flush=True)


if __name__ == "__main__":
    main()
