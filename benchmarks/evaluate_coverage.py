"""How often the intervals of an evaluation hold the truth, where the truth is known.

Shares, and differences of two paired shares, are enumerated exactly, so that their coverage has no
error of its own. Everything else is drawn anew many times from models whose true figure comes from
one very large draw; the interval beside a coverage is the simulation's own.

    python benchmarks/evaluate_coverage.py [--draws 1000] [--only shares,anomaly]
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation import EvaluationSettings, Predictions
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Samples
from edgeworthy.evaluation.tasks import find_task
from edgeworthy.evaluation.temperature import fit_temperature
from edgeworthy.statistics import (
    clopper_pearson,
    largest_gap,
    normal_quantile,
    paired_difference,
    share_interval,
)
from edgeworthy.statistics.clustered import clustered_share, ratio_of_means

_LARGE = 100_000
_HOT = 2.0
_RESAMPLES = 400
_BANDS = ((0.0, 0.01), (0.01, 0.05), (0.05, 0.1), (0.1, 0.5))
#: The subject's and the original's answers on the same samples.
Draw = Callable[[np.random.Generator, int], tuple[Predictions, Predictions]]


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


def classifier(sharpness: float, apart: float, prior: Sequence[float] = (0.2,) * 5) -> Draw:
    """Calibrated at a sharpness of 1 and even priors; the original sees with more noise."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = random.choice(len(prior), n, p=np.array(prior))
        while len(np.unique(labels)) < len(prior):
            labels = random.choice(len(prior), n, p=np.array(prior))
        seen = random.standard_normal((n, len(prior)))
        seen[np.arange(n), labels] += apart
        other = seen + 0.3 * random.standard_normal(seen.shape)
        first = Predictions(apart * sharpness * seen, labels, {})
        return first, Predictions(apart * sharpness * other, labels, {})

    return draw


def detector(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
    """Two true boxes an image, answers that wobble, miss and invent."""
    corners = random.uniform(0, 60, (n, 2, 2))
    boxes = np.concatenate([corners, corners + random.uniform(10, 30, (n, 2, 2))], axis=2)
    numbers = random.integers(0, 2, (n, 2, 1)).astype(np.float64)
    labels = np.concatenate([numbers, boxes], axis=2)
    invented = np.array([5.0, 5.0, 25.0, 25.0]) + random.uniform(0, 40, (n, 2, 1))
    noise, missed = random.normal(0.0, 1.0, boxes.shape), random.random((n, 4))
    score, kinds = random.beta(2.0, 2.0, (n, 4)), random.integers(0, 2, (n, 2))

    def answered(wobble: float, miss_ratio: float) -> Predictions:
        answers = np.zeros((n, 4, 6))
        answers[:, :2, :4], answers[:, 2:, :4] = boxes + wobble * noise, invented
        answers[..., 4] = score + np.array([0.3, 0.3, 0.0, 0.0])
        answers[:, :2, 5], answers[:, 2:, 5] = numbers[..., 0], kinds
        answers[..., 5] = np.where(missed < miss_ratio, -1.0, answers[..., 5])
        order = np.argsort(-answers[..., 4], axis=1, kind="stable")
        return Predictions(np.take_along_axis(answers, order[..., None], axis=1), labels, {})

    return answered(1.5, 0.2), answered(1.2, 0.17)


def segmenter(rare: float) -> Draw:
    """Pictures of three classes, each as hard as it happens to be; one class may be rare."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        shares = np.array([(1 - rare) / 2, (1 - rare) / 2, rare])
        truth = random.choice(3, (n, 6, 6), p=shares).astype(np.uint8)
        hard = random.beta(1.0, 6.0, (n, 1, 1))
        seen, other = random.random(truth.shape), random.integers(0, 3, truth.shape)
        answers = [
            np.where(seen < factor * hard, other, truth).astype(np.uint8) for factor in (1.0, 0.8)
        ]
        return Predictions(answers[0], truth, {}), Predictions(answers[1], truth, {})

    return draw


def alarms(prevalence: float, apart: float) -> Draw:
    """Scores of anomalous samples are higher; a set without one is drawn again."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = np.zeros(n, dtype=np.int64)
        while not labels.any() or labels.all():
            labels = (random.random(n) < prevalence).astype(np.int64)
        scores = random.standard_normal(n) + apart * labels
        noisy = scores + 0.3 * random.standard_normal(n)
        return Predictions(noisy, labels, {}), Predictions(scores, labels, {})

    return draw


def regressor(*, heavy: bool) -> Draw:
    """Normal errors, or Student's with five degrees of freedom."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = random.standard_normal(n)
        wrong = random.standard_t(5, n) if heavy else random.standard_normal(n)
        more = 0.2 * random.standard_normal(n)
        return (
            Predictions(labels + 0.5 * wrong + more, labels, {}),
            Predictions(labels + 0.5 * wrong, labels, {}),
        )

    return draw


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
            bands = [exact_coverage(low, high, _within(band)).mean() for band in _BANDS]
            cells = [floor, covered.mean(), *bands, inside, below]
            yield f"| {name} | {n} | " + " | ".join(f"{cell:.1%}" for cell in cells) + " |"
    for n in (5, 10, 20):
        means = [least_possible(n, _within(band)).mean() for band in ((0.0, 1.0), *_BANDS)]
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
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How often intervals hold the truth.")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", default="", help="parts, for example shares,anomaly")
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))

    def wanted(part: str) -> bool:
        return not only or part in only

    if wanted("shares"):
        bands = " | ".join(f"mean {low:.0%} to {high:.0%}" for low, high in _BANDS)
        print(f"| interval | n | floor | mean | {bands} | truths within 93 to 97 % | below 93 % |")
        print("|---|" + "---|" * (4 + len(_BANDS) + 1))
        for line in shares():
            print(line, flush=True)
    if wanted("paired"):
        print("\n| right before only and right now only | n | coverage |\n|---|---|---|")
        for line in paired_shares():
            print(line, flush=True)
    print("\n| figure | model | truth | n | coverage at 95 % |\n|---|---|---|---|---|")
    parts: list[tuple[str, Callable[[], Iterator[str]]]] = [
        (case.task, functools.partial(coverage, case, given.draws)) for case in CASES
    ]
    parts += [
        ("temperature", functools.partial(temperature, given.draws)),
        ("gaps", functools.partial(gaps, given.draws)),
        ("conditions", functools.partial(conditions, given.draws)),
    ]
    for name, lines in parts:
        if wanted(name):
            for line in lines():
                print(line, flush=True)


if __name__ == "__main__":
    main()
