"""How often the intervals of resampled figures hold the truth, on models that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from edgeworthy.documents.project import Task
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Decisions, Samples, Scores, SegmentedImages
from edgeworthy.evaluation.tasks import find_task


def decisions(
    n: int, generator: np.random.Generator, *, sharpness: float
) -> tuple[Decisions, Decisions]:
    """A noisy version and a calibrated original of five classes."""
    labels = generator.integers(0, 5, n)
    seen = generator.standard_normal((n, 5))
    seen[np.arange(n), labels] += 2.0
    made = []
    for view in (seen + 0.5 * generator.standard_normal(seen.shape), seen):
        logits = view * (2.0 * sharpness / 1.25 if view is not seen else 2.0)
        best = logits.argmax(axis=1)
        confidence = 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
        made.append(Decisions(labels, best, confidence, (best != labels).astype(np.int64), 5))
    return made[0], made[1]


#: Figure and drop, from two million samples of :func:`decisions`.
_RECALL = (0.7350, 0.0527)
_CALIBRATION = {1.0: (0.0, 0.0), 2.0: (0.1315, 0.1308)}


@pytest.mark.parametrize(("n", "sharpness"), [(30, 1.0), (150, 2.0)])
def test_figures_and_their_drops_are_covered(n: int, sharpness: float) -> None:
    # Four standard errors of a simulation below 95 %; longer ones are in the documentation.
    least = 0.95 - 4 * (0.95 * 0.05 / 120) ** 0.5
    truth = {
        "balanced_accuracy": _RECALL,
        "macro_f1": _RECALL,
        "expected_calibration_error": _CALIBRATION[sharpness],
    }
    metrics = [m for m in find_task("classification").metrics if m.definition.name in truth]
    generator = np.random.default_rng(2)
    hits = np.zeros((len(metrics), 2))
    for seed in range(120):
        subject, original = decisions(n, generator, sharpness=sharpness)
        plan = IntervalPlan((0.95,), seed, 200)
        for row, metric in enumerate(metrics):
            both = (
                metric.estimates(subject, original, plan),
                metric.drops(subject, original, plan),
            )
            for column, (found,) in enumerate(both):
                value = truth[metric.definition.name][column]
                hits[row, column] += found.low <= value <= found.high
    assert (hits / 120).min() >= least


def calibrated(n: int, apart: float, sets: int, *, seed: int) -> Iterator[Decisions]:
    """Sets of decisions of a model whose confidence is its accuracy."""
    generator = np.random.default_rng(seed)
    for _ in range(sets):
        labels = generator.integers(0, 5, n)
        logits = apart * generator.standard_normal((n, 5))
        logits[np.arange(n), labels] += apart**2
        best = logits.argmax(axis=1)
        sure = 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
        yield Decisions(labels, best, sure, (best != labels).astype(np.int64), 5)


def held(name: str, task: Task, sets: Iterable[Samples], truth: float) -> float:
    """How often the interval of a metric holds the truth."""
    (metric,) = (each for each in find_task(task).metrics if each.definition.name == name)
    found = [
        metric.estimates(each, each, IntervalPlan((0.95,), seed, 200))[0]
        for seed, each in enumerate(sets)
    ]
    return float(np.mean([each.low <= truth <= each.high for each in found]))


@pytest.mark.parametrize(("n", "apart"), [(30, 2.0), (100, 2.0), (100, 4.0)])
def test_overconfidence_is_covered_with_few_and_with_rare_mistakes(n: int, apart: float) -> None:
    # Calibrated, so that the truth is 0. Either interval that is joined here covers 87 to 92 %
    # of one kind; of 2,000 sets four standard errors are 1.9 points.
    sets = calibrated(n, apart, 2000, seed=5)
    assert held("overconfidence", "classification", sets, 0.0) >= 0.93


@pytest.mark.parametrize(("n", "apart"), [(20, 2.0), (20, 4.0), (100, 4.0)])
def test_a_calibrated_model_without_a_mistake_is_not_called_miscalibrated(
    n: int, apart: float
) -> None:
    # Four of five sets of 20 of the second hold no mistake, and resamples of them hold none either.
    sets = calibrated(n, apart, 500, seed=8)
    assert held("expected_calibration_error", "classification", sets, 0.0) >= 0.93


@pytest.mark.parametrize(("n", "sure"), [(20, 0.95), (50, 0.999), (300, 0.99)])
def test_samples_of_one_confidence_are_not_called_miscalibrated(n: int, sure: float) -> None:
    # Where none is a mistake all samples are alike, and so are their resamples.
    generator = np.random.default_rng(9)

    def drawn() -> Iterator[Decisions]:
        for _ in range(500):
            wrong = (generator.random(n) > sure).astype(np.int64)
            yield Decisions(np.zeros(n, np.int64), wrong, np.full(n, sure), wrong, 2)

    assert held("expected_calibration_error", "classification", drawn(), 0.0) >= 0.93


def test_samples_that_are_all_wrong_and_sure_are_called_miscalibrated() -> None:
    wrong = np.ones(30, np.int64)
    sets = [Decisions(np.zeros(30, np.int64), wrong, np.full(30, 0.999), wrong, 2)]
    assert held("expected_calibration_error", "classification", sets, 0.9) == 0.0
    assert held("expected_calibration_error", "classification", sets, 0.99) == 1.0


@pytest.mark.parametrize(("n", "rare"), [(10, 1 / 3), (30, 0.01)])
def test_mean_iou_is_covered_with_few_images_and_with_a_rare_class(n: int, rare: float) -> None:
    generator = np.random.default_rng(6)
    shares = np.array([(1 - rare) / 2, (1 - rare) / 2, rare])

    def drawn(images: int) -> SegmentedImages:
        truth = generator.multinomial(60, shares, images)
        right = generator.binomial(truth, 1 - generator.beta(1.0, 6.0, (images, 1)))
        strayed = generator.multinomial((truth - right).sum(axis=1), np.full(3, 1 / 3))
        return SegmentedImages(truth, right, right + strayed)

    large = drawn(200_000)
    union = (large.labels + large.predicted - large.right).sum(axis=0)
    truth = float((large.right.sum(axis=0) / union).mean())
    sets = (drawn(n) for _ in range(2000))
    assert 0.925 <= held("mean_iou", "segmentation", sets, truth) <= 0.98


def test_the_drop_of_a_partial_area_is_covered_with_two_normal_samples_that_count() -> None:
    # Joined bootstraps alone cover 90 %: of 300 sets three standard errors are 3.8.
    metric = next(m for m in find_task("anomaly").metrics if m.definition.name == "partial_auroc")
    generator = np.random.default_rng(7)

    def drawn(n: int) -> tuple[Scores, Scores]:
        labels = (np.arange(n) < n // 5).astype(np.int64)
        scores = generator.standard_normal(n) + 3.8 * labels
        return Scores(labels, scores + 0.3 * generator.standard_normal(n)), Scores(labels, scores)

    plan = IntervalPlan((0.95,), 1, 100)
    truth = metric.drops(*drawn(100_000), plan)[0].value
    found = [metric.drops(*drawn(30), plan)[0] for _ in range(300)]
    assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.93
