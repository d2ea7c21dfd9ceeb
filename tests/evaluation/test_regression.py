"""Regression: every figure against scikit-learn, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics  # type: ignore[import-untyped] # no types

from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.errors import DatasetError, ProjectFileError
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Values
from edgeworthy.evaluation.tasks import find_task

SETTINGS = EvaluationSettings(task="regression", resamples=200)
ALONE = EvaluationSettings(task="regression", resamples=200, is_original=True)
Figure = Callable[..., MetricValue]
Array = NDArray[np.float64]


def answers(n: int, *, seed: int = 1) -> tuple[Array, Array, Array]:
    """Truth, the original's answers, another model's."""
    generator = np.random.default_rng(seed)
    truth = 20 + 5 * generator.standard_normal(n)
    before = truth + generator.standard_normal(n)
    return truth, before, before + 0.5 * generator.standard_normal(n)


def test_every_figure_is_scikit_learns(figure: Figure) -> None:
    truth, before, after = answers(300)
    result = evaluate(Predictions(after, truth, {}), Predictions(before, truth, {}), SETTINGS)
    scores = {
        "mean_absolute_error": (metrics.mean_absolute_error, 1),
        "root_mean_squared_error": (metrics.root_mean_squared_error, 1),
        "r_squared": (metrics.r2_score, -1),
    }
    for name, (score, sign) in scores.items():
        found = figure(result, name)
        assert found.estimate.value == pytest.approx(score(truth, after), abs=1e-9)
        worse = sign * (score(truth, after) - score(truth, before))
        assert found.drop is not None
        assert found.drop.value == pytest.approx(worse, abs=1e-9)
        assert found.drop.low < found.drop.value < found.drop.high
    deviation = figure(result, "mean_deviation")
    assert deviation.estimate.value == pytest.approx(np.abs(after - before).mean(), abs=1e-9)
    assert deviation.drop is None
    assert result.flips is None
    assert result.reliability == ()
    assert result.confusion == ()


def test_the_original_itself_deviates_from_nobody() -> None:
    truth, before, _ = answers(20)
    said = Predictions(before, truth, {})
    names = [value.metric for value in evaluate(said, said, ALONE).metrics]
    assert names == ["mean_absolute_error", "root_mean_squared_error", "r_squared"]


def test_equal_answers_have_a_drop_of_exactly_zero(figure: Figure) -> None:
    truth, before, _ = answers(50)
    said = Predictions(before, truth, {})
    result = evaluate(said, Predictions(before.reshape(50, 1), truth, {}), SETTINGS)
    for name in ("mean_absolute_error", "root_mean_squared_error", "r_squared"):
        drop = figure(result, name).drop
        assert drop is not None
        assert (drop.low, drop.value, drop.high) == (0.0, 0.0, 0.0)


def test_constant_labels_have_no_share_of_variance(figure: Figure) -> None:
    said = Predictions(np.array([1.0, 2.0, 3.0]), np.full(3, 0.1), {})
    result = evaluate(said, said, ALONE)
    assert "r_squared" not in {value.metric for value in result.metrics}
    assert figure(result, "mean_absolute_error").estimate.value == pytest.approx(1.9)


def test_perfect_answers_have_no_error(figure: Figure) -> None:
    truth = np.array([1.0, 2.0, 4.0])
    said = Predictions(truth, truth, {})
    result = evaluate(said, said, ALONE)
    assert figure(result, "root_mean_squared_error").estimate.value == 0.0
    assert figure(result, "r_squared").estimate.value == 1.0


def test_a_slice_with_one_sample_has_no_error_with_an_interval(figure: Figure) -> None:
    truth, before, after = answers(9)
    slices: dict[str, tuple[str, ...]] = {"site": ("lonely",) + ("crowded",) * 8}
    result = evaluate(
        Predictions(after, truth, slices), Predictions(before, truth, slices), SETTINGS
    )
    assert {value.slice for value in result.metrics} == {"", "site=crowded"}
    assert figure(result, "mean_deviation", "site=crowded").estimate.n == 8


def test_an_error_is_given_in_the_unit_of_the_label(figure: Figure) -> None:
    truth, before, after = answers(30)
    result = evaluate(Predictions(after, truth, {}), Predictions(before, truth, {}), SETTINGS)
    assert figure(result, "mean_absolute_error").estimate.unit == "label"
    assert figure(result, "r_squared").estimate.unit == "ratio"


def test_more_than_one_value_per_sample_is_an_error() -> None:
    said = Predictions(np.zeros((3, 2)), np.zeros(3), {})
    with pytest.raises(ProjectFileError) as caught:
        evaluate(said, said, ALONE)
    assert "one value per sample" in str(caught.value)
    assert "(n, 2)" in str(caught.value)


@pytest.mark.parametrize("label", ["nan", "inf", "text"])
def test_a_label_that_is_no_number_names_its_sample(label: str) -> None:
    labels = np.array(["1", label]) if label == "text" else np.array([1.0, float(label)])
    said = Predictions(np.zeros(2), labels, {})
    with pytest.raises(DatasetError) as caught:
        evaluate(said, said, ALONE)
    assert "a finite number" in str(caught.value)
    assert ("sample 0" if label == "text" else "sample 1") in str(caught.value)


@pytest.mark.parametrize("n", [10, 100])
def test_errors_and_their_drops_are_covered(n: int) -> None:
    # Four standard errors of a simulation below 95 %; longer ones are in the documentation.
    least = 0.95 - 4 * (0.95 * 0.05 / 120) ** 0.5
    settings = EvaluationSettings(task="regression", resamples=150)
    hits = {"mean_absolute_error": 0, "drop": 0}
    for seed in range(120):
        truth, before, after = answers(n, seed=seed)
        result = evaluate(Predictions(after, truth, {}), Predictions(before, truth, {}), settings)
        found = result.metrics[0]
        assert found.drop is not None
        # E|N(0, 1.25)| and its difference to E|N(0, 1)|
        mean = np.sqrt(2 * 1.25 / np.pi)
        hits["mean_absolute_error"] += found.estimate.low <= mean <= found.estimate.high
        hits["drop"] += found.drop.low <= mean - np.sqrt(2 / np.pi) <= found.drop.high
    assert min(hits.values()) / 120 >= least


@pytest.mark.parametrize("n", [10, 40])
def test_r_squared_is_covered_with_heavy_tails(n: int) -> None:
    # The bias-corrected bootstrap covers 92 % of thirty; three standard errors of 600 sets are 2.7.
    metric = next(m for m in find_task("regression").metrics if m.definition.name == "r_squared")
    generator = np.random.default_rng(3)
    plan = IntervalPlan((0.95,), 1, 2)
    truth, hits = 1 - 0.25 * 5 / 3, 0
    for _ in range(600):
        labels = generator.standard_normal(n)
        said = Values(labels, labels + 0.5 * generator.standard_t(5, n))
        (found,) = metric.estimates(said, said, plan)
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 600 <= 0.98
