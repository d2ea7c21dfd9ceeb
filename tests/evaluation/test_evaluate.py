"""The whole evaluation: slices, planted regressions, coverage, and what it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.documents.project import Task
from edgeworthy.errors import DatasetError, ProjectFileError
from edgeworthy.evaluation import (
    EvaluationSettings,
    MetricDefinition,
    Predictions,
    evaluate,
    metrics_of,
)
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric
from edgeworthy.evaluation.samples import Values
from edgeworthy.evaluation.tasks import find_task

SETTINGS = EvaluationSettings(task="classification", resamples=200)
Speaker = Callable[..., Predictions]
Figure = Callable[..., MetricValue]


def spoiled(
    right: NDArray[np.int64], where: NDArray[np.int64], count: int, *, classes: int
) -> NDArray[np.int64]:
    """Decisions of which ``count`` at ``where`` are wrong."""
    wrong = right.copy()
    wrong[where[:count]] = (wrong[where[:count]] + 1) % classes
    return wrong


def test_a_slice_that_loses_ten_points_shows_while_the_mean_stays(
    classifier: Speaker, figure: Figure
) -> None:
    labels = np.arange(2000) % 3
    sites = tuple("north" if index < 400 else "south" for index in range(2000))
    north, south = np.arange(400), np.arange(400, 2000)
    before = spoiled(spoiled(labels, north, 20, classes=3), south, 80, classes=3)
    after = spoiled(spoiled(labels, north, 60, classes=3), south, 40, classes=3)
    result = evaluate(
        classifier(after, labels, slices={"site": sites}),
        classifier(before, labels, slices={"site": sites}),
        SETTINGS,
    )
    overall = figure(result, "accuracy").drop
    hurt = figure(result, "accuracy", "site=north").drop
    helped = figure(result, "accuracy", "site=south").drop
    assert overall is not None
    assert hurt is not None
    assert helped is not None
    assert overall.value == 0.0
    assert overall.high < 0.01
    assert hurt.value == pytest.approx(0.10)
    assert hurt.low > 0.05
    assert helped.high < 0.0
    flips = figure(result, "negative_flip_ratio", "site=north").estimate
    assert flips.value == pytest.approx(0.10)


def test_a_better_model_with_negative_flips_shows_them(classifier: Speaker, figure: Figure) -> None:
    labels = np.arange(1000) % 3
    before = spoiled(labels, np.arange(1000), 100, classes=3)
    after = spoiled(labels, np.arange(500, 1000), 40, classes=3)
    result = evaluate(classifier(after, labels), classifier(before, labels), SETTINGS)
    drop = figure(result, "accuracy").drop
    assert drop is not None
    assert drop.high < 0.0
    assert figure(result, "negative_flip_ratio").estimate.value == pytest.approx(0.04)
    assert figure(result, "negative_flip_ratio").estimate.low > 0.025
    assert result.flips is not None
    assert result.flips.mcnemar_p_value < 0.001


def test_an_over_confident_version_shows_and_its_clean_twin_does_not(figure: Figure) -> None:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 4, 1500)
    seen = generator.standard_normal((1500, 4))
    seen[np.arange(1500), labels] += 1.5
    calibrated = Predictions(1.5 * seen, labels, {})  # the likelihood itself
    over_confident = Predictions(4.5 * seen, labels, {})
    clean = evaluate(calibrated, calibrated, SETTINGS)
    bad = evaluate(over_confident, calibrated, SETTINGS)
    name = "expected_calibration_error"
    assert figure(clean, name).estimate.low == 0.0
    assert figure(bad, name).estimate.low > 0.1
    clean_drop, bad_drop = figure(clean, name).drop, figure(bad, name).drop
    assert clean_drop is not None
    assert bad_drop is not None
    assert clean_drop.low < 0.0 < clean_drop.high < 0.01
    assert bad_drop.low > 0.1
    assert figure(bad, "accuracy").drop.value == 0.0  # type: ignore[union-attr] # is there


def test_every_slice_value_is_given_in_order_however_small(
    classifier: Speaker, figure: Figure
) -> None:
    labels = np.arange(12) % 3
    slices = {"site": ("b", "a") * 5 + ("c", "a"), "light": ("",) * 12}
    said = classifier(labels, labels, slices=slices)
    result = evaluate(said, said, SETTINGS)
    parts = list(dict.fromkeys(value.slice for value in result.metrics))
    assert parts == ["", "site=a", "site=b", "site=c", "light="]
    lonely = figure(result, "accuracy", "site=c").estimate
    assert (lonely.value, lonely.n) == (1.0, 1)
    assert lonely.low < 0.25
    for name in ("balanced_accuracy", "macro_f1"):
        alone = figure(result, name, "site=c")
        assert alone.estimate.low < 0.1
        assert alone.drop is not None
        assert alone.drop.high > 0.9


def test_every_confidence_has_its_own_wider_interval(classifier: Speaker, figure: Figure) -> None:
    labels = np.arange(60) % 3
    settings = dataclasses.replace(SETTINGS, confidences=(0.99, 0.8))
    wrong = spoiled(labels, np.arange(60), 9, classes=3)
    result = evaluate(classifier(wrong, labels), classifier(labels, labels), settings)
    for name in {metric.definition.name for metric in find_task("classification").metrics}:
        if name == "top_5_accuracy":
            continue
        wide, narrow = (figure(result, name, confidence=level) for level in (0.99, 0.8))
        assert wide.estimate.low <= narrow.estimate.low <= narrow.estimate.high
        assert narrow.estimate.high <= wide.estimate.high
        assert (wide.estimate.low, wide.estimate.high) != (
            narrow.estimate.low,
            narrow.estimate.high,
        )
        assert (wide.drop is None) == (narrow.drop is None)


def test_the_original_itself_has_neither_drops_nor_flips(classifier: Speaker) -> None:
    labels = np.arange(30) % 3
    said = classifier(labels, labels)
    alone = dataclasses.replace(SETTINGS, is_original=True)
    result = evaluate(said, said, alone)
    assert all(value.drop is None for value in result.metrics)
    assert result.flips is None
    compared = {d.name for d in metrics_of("classification") if d.needs_original}
    assert not compared & {value.metric for value in result.metrics}
    assert result.outputs_digest == said.outputs_digest


def test_the_same_seed_gives_the_same_result_and_a_slice_changes_nothing_else(
    classifier: Speaker,
) -> None:
    labels = np.arange(90) % 3
    wrong = spoiled(labels, np.arange(0, 90, 2), 20, classes=3)
    settings = dataclasses.replace(SETTINGS, seed=7)
    plain = evaluate(classifier(wrong, labels), classifier(labels, labels), settings)
    again = evaluate(classifier(wrong, labels), classifier(labels, labels), settings)
    slices = {"half": ("x", "y") * 45}
    sliced = evaluate(
        classifier(wrong, labels, slices=slices),
        classifier(labels, labels, slices=slices),
        settings,
    )
    assert plain == again
    groups = {metric.definition.name for metric in find_task("classification").group_metrics}
    kept = (value for value in sliced.metrics if value.metric not in groups)
    assert tuple(value for value in kept if not value.slice) == plain.metrics


def test_one_sample_is_too_few() -> None:
    said = Predictions(np.zeros((1, 3)), np.zeros(1, dtype=np.int64), {})
    with pytest.raises(DatasetError) as caught:
        evaluate(said, said, SETTINGS)
    assert "at least 2" in str(caught.value)


@pytest.mark.parametrize("what", ["count", "labels", "slices"])
def test_predictions_on_other_samples_are_refused(what: str, classifier: Speaker) -> None:
    labels = np.arange(6) % 3
    subject = classifier(labels, labels, slices={"site": tuple("aabbcc")})
    changed = {
        "count": classifier(labels[:5], labels[:5], slices={"site": tuple("aabbc")}),
        "labels": classifier(labels, labels[::-1].copy(), slices={"site": tuple("aabbcc")}),
        "slices": classifier(labels, labels, slices={"site": tuple("aabbcd")}),
    }
    with pytest.raises(DatasetError) as caught:
        evaluate(subject, changed[what], SETTINGS)
    assert "not run on the same samples" in str(caught.value)
    # The original itself is not compared with anything.
    evaluate(subject, changed[what], dataclasses.replace(SETTINGS, is_original=True))


def test_a_column_that_does_not_group_is_refused(classifier: Speaker) -> None:
    labels = np.arange(1001) % 3
    said = classifier(labels, labels, slices={"file": tuple(map(str, range(1001)))})
    with pytest.raises(DatasetError) as caught:
        evaluate(said, said, SETTINGS)
    assert "column `file`" in str(caught.value)
    assert "1001 different values" in str(caught.value)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ProjectFileError) as caught:
        metrics_of("translation")
    assert all(f"`{task}`" in str(caught.value) for task in get_args(Task))


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidences": ()},
        {"confidences": (0.95, 1.0)},
        {"seed": -1},
        {"label_count": -2},
        {"resamples": 0},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        EvaluationSettings(task="classification", **wrong)


def test_every_metric_says_what_it_is() -> None:
    definitions = [each for task in get_args(Task) for each in metrics_of(task)]
    by_name = {definition.name: definition for definition in definitions}
    for definition in definitions:
        assert by_name[definition.name] == definition  # one name, one meaning, in every task
        assert definition.unit in {"ratio", "label", "count"}
        assert definition.title
        assert definition.source


class _Broken(Metric[Values]):
    definition = MetricDefinition("broken", "ratio", None, "Broken", "nowhere")

    def __init__(self, *, confidence: float = 0.95, unit: str = "ratio") -> None:
        self.estimate = Estimate(
            value=0.0, low=0.0, high=0.0, confidence=confidence, n=1, method="none", unit=unit
        )

    def estimates(
        self, subject: Values, original: Values, plan: IntervalPlan
    ) -> Sequence[Estimate]:
        del subject, original, plan
        return [self.estimate]


@pytest.mark.parametrize("how", [{"confidence": 0.9}, {"unit": "ms"}])
def test_a_metric_that_breaks_its_contract_is_found_out(how: dict[str, Any]) -> None:
    samples = Values(np.zeros(2), np.zeros(2))
    plan = IntervalPlan((0.95,), 0, 10)
    assert _Broken().values(samples, None, plan)[0].metric == "broken"
    assert _Broken().values(samples, samples, plan)[0].drop is None
    with pytest.raises(AssertionError) as caught:
        _Broken(**how).values(samples, None, plan)
    assert "broke its contract" in str(caught.value)
