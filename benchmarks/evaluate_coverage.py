"""How often the intervals of an evaluation hold the truth, where the truth is known.

Shares are enumerated exactly, so that their coverage has no error of its own. Everything else is
drawn anew many times from models whose true figure comes from one very large draw.

    python benchmarks/evaluate_coverage.py [DRAWS]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.tasks import find_task
from edgeworthy.evaluation.temperature import fit_temperature
from edgeworthy.statistics import clopper_pearson, wilson

_LARGE = 20_000
_MISSED = 0.2
_ANOMALOUS = 0.2
_HOT = 2.0
_RESAMPLES = 300
Draw = Callable[[np.random.Generator, int], Predictions]


def exact_coverage(found: Sequence[Estimate], share: float) -> float:
    """Coverage of an interval of a share, over all counts.

    Args:
        found: The interval for each count from 0 to n.
        share: The truth.
    """
    n = len(found) - 1
    covered = 0.0
    for hits, each in enumerate(found):
        if each.low <= share <= each.high:
            log = math.lgamma(n + 1) - math.lgamma(hits + 1) - math.lgamma(n - hits + 1)
            covered += math.exp(log + hits * math.log(share) + (n - hits) * math.log1p(-share))
    return covered


def classifier(sharpness: float, apart: float) -> Draw:
    """Five classes; calibrated at a sharpness of 1, overconfident above it."""

    def draw(random: np.random.Generator, n: int) -> Predictions:
        labels = random.integers(0, 5, n)
        seen = random.standard_normal((n, 5))
        seen[np.arange(n), labels] += apart
        return Predictions(apart * sharpness * seen, labels, {})

    return draw


def detector(random: np.random.Generator, n: int) -> Predictions:
    """Two true boxes an image, answers that wobble, miss and invent."""
    corners = random.uniform(0, 60, (n, 2, 2))
    boxes = np.concatenate([corners, corners + random.uniform(10, 30, (n, 2, 2))], axis=2)
    numbers = random.integers(0, 2, (n, 2, 1)).astype(np.float64)
    answers = np.zeros((n, 4, 6))
    answers[:, :2, :4] = boxes + random.normal(0.0, 1.5, boxes.shape)
    answers[:, 2:, :4] = np.array([5.0, 5.0, 25.0, 25.0]) + random.uniform(0, 40, (n, 2, 1))
    answers[..., 4] = random.beta(2.0, 2.0, (n, 4)) + np.array([0.3, 0.3, 0.0, 0.0])
    answers[:, :2, 5], answers[:, 2:, 5] = numbers[..., 0], random.integers(0, 2, (n, 2))
    answers[..., 5] = np.where(random.random((n, 4)) < _MISSED, -1.0, answers[..., 5])
    order = np.argsort(-answers[..., 4], axis=1)
    answers = np.take_along_axis(answers, order[..., None], axis=1)
    return Predictions(answers, np.concatenate([numbers, boxes], axis=2), {})


def segmenter(random: np.random.Generator, n: int) -> Predictions:
    """Pictures of three classes, each as hard as it happens to be."""
    truth = random.integers(0, 3, (n, 6, 6)).astype(np.uint8)
    wrong = random.random(truth.shape) < random.beta(1.0, 6.0, (n, 1, 1))
    answers = np.where(wrong, random.integers(0, 3, truth.shape), truth).astype(np.uint8)
    return Predictions(answers, truth, {})


def alarms(random: np.random.Generator, n: int) -> Predictions:
    """A fifth of the samples is anomalous."""
    labels = (random.random(n) < _ANOMALOUS).astype(np.int64)
    labels[0] = 1
    return Predictions(random.standard_normal(n) + 2.0 * labels, labels, {})


def coverage(
    task: str, metrics: tuple[str, ...], draw: Draw, sizes: tuple[int, ...], draws: int
) -> Iterator[str]:
    """Rows of the table."""
    settings = EvaluationSettings(
        task=task,  # type: ignore[arg-type] # one of ours
        threshold=1.0,
        resamples=_RESAMPLES,
        is_original=True,
    )
    chosen = [each for each in find_task(task).metrics if each.definition.name in metrics]
    large = find_task(task).decode(draw(np.random.default_rng(99), _LARGE), settings)
    plan = IntervalPlan((0.95,), 0, 2)
    truth = [each.estimates(large, large, plan)[0].value for each in chosen]
    for n in sizes:
        hits = np.zeros(len(chosen))
        for at in range(draws):
            said = draw(np.random.default_rng((n, at)), n)
            found = {each.metric: each.estimate for each in evaluate(said, said, settings).metrics}
            for row, (each, value) in enumerate(zip(chosen, truth, strict=True)):
                one = found[each.definition.name]
                hits[row] += one.low - 1e-9 <= value <= one.high + 1e-9
        for each, value, count in zip(chosen, truth, hits, strict=True):
            yield row_of(each.definition.name, value, n, int(count), draws)


def row_of(name: str, value: float, n: int, hits: int, draws: int) -> str:
    """A row with the interval of the coverage itself."""
    found = clopper_pearson(hits, draws, confidence=0.95)
    covered = f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
    return f"| `{name}` | {value:.4f} | {n} | {covered} |"


def temperature(draws: int) -> Iterator[str]:
    """The temperature of a classifier that is twice as sharp as it should be."""
    settings = EvaluationSettings(task="classification")
    for n in (50, 200, 1000):
        hits = refused = 0
        for at in range(draws):
            said = classifier(_HOT, 1.5)(np.random.default_rng((n, at)), n)
            found = fit_temperature(said, settings).temperature
            refused += found is None
            hits += found is not None and found.low <= _HOT <= found.high
        yield row_of("temperature", _HOT, n, hits, draws - refused)


def shares() -> Iterator[str]:
    """Exact coverage of intervals of shares, the worst and the mean over many true shares."""
    grid: NDArray[np.float64] = np.linspace(0.005, 0.995, 199)
    for name, interval in (("Wilson", wilson), ("Clopper-Pearson", clopper_pearson)):
        for n in (10, 30, 100, 500):
            found = [interval(hits, n, confidence=0.95) for hits in range(n + 1)]
            covered = [exact_coverage(found, float(share)) for share in grid]
            rare = exact_coverage(found, 0.01)
            yield f"| {name} | {n} | {np.mean(covered):.1%} | {min(covered):.1%} | {rare:.1%} |"


def main() -> None:
    """Print the tables."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("| interval of a share | n | mean over shares 0.5 % to 99.5 % | worst | at 1 % |")
    print("|---|---|---|---|---|")
    for line in shares():
        print(line, flush=True)
    print("\n| figure | truth | n | coverage at 95 % |\n|---|---|---|---|")
    sizes = (30, 100, 500)
    names = (
        "expected_calibration_error",
        "debiased_calibration_error",
        "overconfidence",
        "balanced_accuracy",
        "macro_f1",
    )
    for sharpness, apart in ((1.0, 2.0), (2.0, 2.0), (2.0, 4.0)):
        print(f"| *classifier, sharpness {sharpness:g}, classes {apart:g} apart* | | | |")
        for line in coverage("classification", names, classifier(sharpness, apart), sizes, draws):
            print(line, flush=True)
    for line in temperature(draws):
        print(line, flush=True)
    for task, some, draw in (
        ("anomaly", ("auroc", "average_precision", "partial_auroc", "f1_at_threshold"), alarms),
        ("segmentation", ("mean_iou", "pixel_accuracy"), segmenter),
        ("detection", ("mean_average_precision", "average_precision_50"), detector),
    ):
        for line in coverage(task, some, draw, sizes, draws):
            print(line, flush=True)


if __name__ == "__main__":
    main()
