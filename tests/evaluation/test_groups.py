"""The worst slice and disparities, against Fairlearn where it is there."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.evaluation import EvaluationResult, EvaluationSettings, Predictions, evaluate

Speaker = Callable[..., Predictions]
Figure = Callable[..., MetricValue]

SETTINGS = EvaluationSettings(task="classification", resamples=100)


def columns(n: int, seed: int) -> dict[str, tuple[str, ...]]:
    generator = np.random.default_rng(seed)
    return {
        "site": tuple(generator.choice(["a", "b", "c"], n)),
        "shift": tuple(generator.choice(["early", "late"], n)),
    }


def random_case(
    classifier: Speaker, classes: int, seed: int = 2, n: int = 900
) -> tuple[Predictions, dict[str, tuple[str, ...]]]:
    generator = np.random.default_rng(seed)
    slices = columns(n, seed + 1)
    labels = generator.integers(0, classes, n)
    biased = (np.array(slices["site"]) == "b") & (generator.random(n) < 0.3)
    predicted = np.where(biased, 1, labels)
    return classifier(predicted, labels, classes=classes, slices=slices), slices


@pytest.mark.parametrize("column", ["site", "shift"])
def test_disparities_of_two_classes_are_fairlearns(
    column: str, classifier: Speaker, figure: Figure
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fairlearn = pytest.importorskip(
            "fairlearn.metrics", reason="Fairlearn is not installed: parity is NOT cross-checked"
        )
    said, slices = random_case(classifier, 2)
    result = evaluate(said, said, dataclasses.replace(SETTINGS, is_original=True))
    predicted = said.outputs.argmax(axis=1)
    for name in ("demographic_parity_difference", "equalized_odds_difference"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = getattr(fairlearn, name)(
                said.labels, predicted, sensitive_features=np.array(slices[column])
            )
        ours = figure(result, name, f"{column}=*").estimate
        assert ours.value == pytest.approx(expected, abs=1e-6)


def test_of_more_classes_each_is_the_positive_one_in_turn(
    classifier: Speaker, figure: Figure
) -> None:
    said, slices = random_case(classifier, 4)
    result = evaluate(said, said, dataclasses.replace(SETTINGS, is_original=True))
    predicted, site = said.outputs.argmax(axis=1), np.array(slices["site"])
    expected = 0.0
    for positive in range(4):
        shares = [np.mean(predicted[site == each] == positive) for each in "abc"]
        expected = max(expected, max(shares) - min(shares))
    gap = figure(result, "demographic_parity_difference", "site=*").estimate
    assert gap.value == pytest.approx(expected, abs=1e-12)
    everywhere = figure(result, "demographic_parity_difference").estimate
    assert everywhere.value == gap.value
    assert gap.low > 0.05
    assert figure(result, "demographic_parity_difference", "shift=*").estimate.low == 0.0


def test_the_worst_slice_is_the_worst(classifier: Speaker, figure: Figure) -> None:
    said, _ = random_case(classifier, 4)
    result = evaluate(said, said, dataclasses.replace(SETTINGS, is_original=True))
    worst = figure(result, "worst_slice_accuracy", "site=*").estimate
    alone = figure(result, "accuracy", "site=b").estimate
    assert (worst.value, worst.low, worst.n) == (alone.value, alone.low, alone.n)
    assert worst.high > alone.high
    assert figure(result, "worst_slice_accuracy").estimate.value == worst.value


def test_the_slice_that_lost_most_is_compared_with_the_original(
    classifier: Speaker, figure: Figure
) -> None:
    said, slices = random_case(classifier, 4)
    right = classifier(said.labels, said.labels, classes=4, slices=slices)
    result = evaluate(said, right, SETTINGS)
    worst = figure(result, "worst_slice_drop", "site=*").estimate
    drop = figure(result, "accuracy", "site=b").drop
    assert drop is not None
    assert (worst.value, worst.high) == (drop.value, drop.high)
    assert worst.low < drop.low
    alone = evaluate(right, right, dataclasses.replace(SETTINGS, is_original=True))
    assert "worst_slice_drop" not in names(alone)


def test_small_slices_decide_nothing(classifier: Speaker, figure: Figure) -> None:
    labels = np.arange(100) % 2
    predicted = labels.copy()
    predicted[:20] = 1 - predicted[:20]
    said = classifier(
        predicted, labels, classes=2, slices={"site": ("tiny",) * 20 + ("large",) * 80}
    )
    result = evaluate(said, said, dataclasses.replace(SETTINGS, is_original=True))
    assert figure(result, "worst_slice_accuracy").estimate.value == 1.0
    assert "demographic_parity_difference" not in names(result)
    assert figure(result, "accuracy", "site=tiny").estimate.value == 0.0


def test_without_slices_there_is_no_worst_one(classifier: Speaker) -> None:
    labels = np.arange(100) % 2
    said = classifier(labels, labels, classes=2)
    assert "worst_slice_accuracy" not in names(evaluate(said, said, SETTINGS))


def names(result: EvaluationResult) -> set[str]:
    return {each.metric for each in result.metrics}
