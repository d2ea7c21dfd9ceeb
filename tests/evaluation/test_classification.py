"""Classification: every figure against scikit-learn, the flips, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped] # scipy ships no types
from sklearn import metrics  # type: ignore[import-untyped] # no types

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.errors import DatasetError, ProjectFileError
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate
from edgeworthy.evaluation.metrics.calibration import bins_of

LOGITS = EvaluationSettings(task="classification", resamples=200)
ALONE = EvaluationSettings(task="classification", resamples=200, is_original=True)
Maker = Callable[..., tuple[NDArray[Any], NDArray[np.int64]]]
Figure = Callable[..., MetricValue]


def calibration_error(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """Guo et al. 2017, equation 3, as a loop."""
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    total = 0.0
    for index in range(15):
        inside = (confidence > index / 15) & (confidence <= (index + 1) / 15)
        if inside.any():
            accuracy = (predicted == labels)[inside].mean()
            total += inside.mean() * abs(accuracy - confidence[inside].mean())
    return float(total)


def debiased_error(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Kumar's estimator, bin by bin; a bin of one sample takes its variance from its confidence."""
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    total = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        gaps = confidence[inside] - right[inside]
        if len(gaps) == 1:
            total += gaps[0] ** 2 - confidence[inside][0] * (1 - confidence[inside][0])
        elif len(gaps):
            total += len(gaps) * (gaps.mean() ** 2 - gaps.var(ddof=1) / len(gaps))
    return float(np.sqrt(max(0.0, total / len(labels))))


def test_every_figure_is_scikit_learns(random_outputs: Maker, figure: Figure) -> None:
    outputs, labels = random_outputs(500, 8)
    result = evaluate(Predictions(outputs, labels, {}), Predictions(outputs, labels, {}), ALONE)
    predicted = outputs.argmax(axis=1)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "top_5_accuracy": metrics.top_k_accuracy_score(labels, outputs, k=5),
        "expected_calibration_error": calibration_error(special.softmax(outputs, axis=1), labels),
        "debiased_calibration_error": debiased_error(special.softmax(outputs, axis=1), labels),
        "overconfidence": special.softmax(outputs, axis=1).max(axis=1).mean()
        - metrics.accuracy_score(labels, predicted),
    }
    assert {value.metric for value in result.metrics} == set(expected)
    for name, value in expected.items():
        assert figure(result, name).estimate.value == pytest.approx(value, abs=1e-9)
        assert figure(result, name).drop is None
    confusion = metrics.confusion_matrix(labels, predicted)
    assert np.array_equal(np.array(result.confusion), confusion)
    assert result.flips is None


@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40),
)
def test_class_means_are_over_the_classes_that_occur(rows: list[tuple[int, int]]) -> None:
    labels, predicted = np.array(rows, dtype=np.int64).T
    said = Predictions(np.eye(5)[predicted], labels, {})
    settings = EvaluationSettings(task="classification", resamples=20, is_original=True)
    found = {v.metric: v.estimate.value for v in evaluate(said, said, settings).metrics}
    occurring = np.unique(labels)
    recall = metrics.recall_score(
        labels, predicted, labels=occurring, average="macro", zero_division=0
    )
    f1 = metrics.f1_score(labels, predicted, labels=occurring, average="macro", zero_division=0)
    assert found["balanced_accuracy"] == pytest.approx(recall, abs=1e-9)
    assert found["macro_f1"] == pytest.approx(f1, abs=1e-9)


def test_drops_are_differences_of_the_figures(random_outputs: Maker, figure: Figure) -> None:
    before, labels = random_outputs(400, 6)
    after = before + np.random.default_rng(2).standard_normal(before.shape)
    old, new = Predictions(before, labels, {}), Predictions(after, labels, {})
    compared = evaluate(new, old, LOGITS)
    original, subject = evaluate(old, old, ALONE), evaluate(new, new, ALONE)
    signs = dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "top_5_accuracy"), 1)
    for name, sign in (signs | {"expected_calibration_error": -1}).items():
        drop = figure(compared, name).drop
        change = figure(original, name).estimate.value - figure(subject, name).estimate.value
        assert drop is not None
        assert drop.value == pytest.approx(sign * change, abs=1e-9)
        assert drop.low < drop.value < drop.high


def test_a_class_in_which_nothing_changed_may_still_hide_something(figure: Figure) -> None:
    # Ten classes of 30; one sample of the first changes.
    labels = np.arange(300) % 10
    right = 9.0 * np.eye(10)[labels]
    wrong = right.copy()
    wrong[0] = 9.0 * np.eye(10)[1]
    result = evaluate(Predictions(wrong, labels, {}), Predictions(right, labels, {}), LOGITS)
    drop = figure(result, "balanced_accuracy").drop
    assert drop is not None
    assert drop.value == pytest.approx(1 / 300)
    # A kind that 30 samples may miss, in one class of ten.
    assert drop.value - drop.low >= (1 - 0.025 ** (1 / 30)) / 10 - 1e-12
    assert msgspec.json.decode(msgspec.json.encode(drop), type=Estimate) == drop


def test_flips_are_counted_and_the_worst_shown_first(figure: Figure) -> None:
    labels = np.zeros(60, dtype=np.int64)
    before, after = np.zeros((60, 3)), np.zeros((60, 3))
    before[:, 0], after[:, 0] = 5.0, 5.0
    before[30:40, 1] = 9.0  # the original is wrong on ten
    after[0:28, 2] = 6.0 + np.arange(28) / 10  # right before, wrong now, ever more sure
    after[32:40, 2] = 20.0  # wrong before, wrong in another way now; 30 and 31 are right now
    result = evaluate(Predictions(after, labels, {}), Predictions(before, labels, {}), LOGITS)
    flips = result.flips
    assert flips is not None
    assert (flips.negative_count, flips.positive_count, flips.changed_count) == (28, 2, 38)
    assert flips.mcnemar_p_value == pytest.approx(8.68e-7, rel=1e-3)
    assert [sample.index for sample in flips.samples] == list(range(27, 3, -1))
    worst = flips.samples[0]
    assert (worst.label, worst.before, worst.after) == (0, 0, 2)
    assert worst.confidence_before == pytest.approx(special.softmax(before[27])[0])
    assert worst.confidence_after == pytest.approx(special.softmax(after[27])[2])
    assert figure(result, "negative_flip_ratio").estimate.value == pytest.approx(28 / 60)
    assert figure(result, "negative_flip_ratio").estimate.method == "blaker-adjusted"
    assert figure(result, "positive_flip_ratio").estimate.value == pytest.approx(2 / 60)
    assert figure(result, "agreement").estimate.value == pytest.approx(22 / 60)
    assert figure(result, "agreement").drop is None


def test_mistakes_that_were_mistakes_before_come_after_new_ones() -> None:
    labels = np.array([0, 0, 0])
    before = np.array([[2.0, 0, 0], [0, 2.0, 0], [2.0, 0, 0]])
    after = np.array([[0, 1.0, 0], [0, 0, 9.0], [0, 3.0, 0]])
    result = evaluate(Predictions(after, labels, {}), Predictions(before, labels, {}), LOGITS)
    assert result.flips is not None
    assert [sample.index for sample in result.flips.samples] == [2, 0, 1]


def test_the_reliability_diagram_holds_the_calibration_error(
    random_outputs: Maker, figure: Figure
) -> None:
    outputs, labels = random_outputs(300, 4)
    said = Predictions(outputs, labels, {})
    result = evaluate(said, said, ALONE)
    bins = result.reliability
    assert len(bins) == 15
    assert sum(part.sample_count for part in bins) == 300
    error = sum(abs(b.accuracy - b.mean_confidence) * b.sample_count for b in bins) / 300
    assert figure(result, "expected_calibration_error").estimate.value == pytest.approx(error)
    for part in bins:
        empty = part.sample_count == 0
        assert empty == (part.mean_confidence == 0.0)
        assert empty or part.lowest < part.mean_confidence <= part.highest


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    edges = np.arange(1, 16) / 15
    assert bins_of(edges).tolist() == list(range(15))
    assert bins_of(np.nextafter(edges[:-1], 1.0)).tolist() == list(range(1, 15))


def test_probabilities_are_taken_as_they_are(figure: Figure) -> None:
    settings = EvaluationSettings(
        task="classification", scores="probabilities", resamples=50, is_original=True
    )
    said = Predictions(np.array([[0.75, 0.25], [0.375, 0.625]]), np.array([0, 0]), {})
    error = figure(evaluate(said, said, settings), "expected_calibration_error").estimate.value
    assert error == pytest.approx((0.25 + 0.625) / 2)


def test_a_rounded_probability_a_little_above_one_is_one(figure: Figure) -> None:
    settings = EvaluationSettings(
        task="classification", scores="probabilities", resamples=50, is_original=True
    )
    said = Predictions(np.array([[1.004, 0.0], [0.0, 1.0]]), np.array([0, 1]), {})
    result = evaluate(said, said, settings)
    assert figure(result, "expected_calibration_error").estimate.value == 0.0


@pytest.mark.parametrize("outputs", [[[3.0, -1.0], [0.2, 0.1]], [[0.2, 7.0], [0.5, 0.5]]])
def test_logits_declared_as_probabilities_are_an_error(outputs: list[list[float]]) -> None:
    settings = EvaluationSettings(task="classification", scores="probabilities", is_original=True)
    said = Predictions(np.array(outputs), np.array([0, 1]), {})
    with pytest.raises(ProjectFileError) as caught:
        evaluate(said, said, settings)
    assert 'scores = "logits"' in str(caught.value)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1)])
def test_one_output_is_the_second_of_two_classes(shape: tuple[int, ...], figure: Figure) -> None:
    logits, labels = np.array([-3.0, 2.0, 0.5, -0.1]), np.array([0, 1, 0, 0])
    said = Predictions(logits.reshape(shape), labels, {})
    from_logits = evaluate(said, said, ALONE)
    assert from_logits.confusion == ((2, 1), (0, 1))
    settings = EvaluationSettings(
        task="classification", scores="probabilities", label_count=2, is_original=True
    )
    probable = Predictions(special.expit(logits).reshape(shape), labels, {})
    from_probabilities = evaluate(probable, probable, settings)
    assert from_probabilities.confusion == from_logits.confusion
    name = "expected_calibration_error"
    assert figure(from_logits, name).estimate.value == pytest.approx(
        figure(from_probabilities, name).estimate.value
    )


def test_axes_of_size_one_do_not_matter() -> None:
    outputs, labels = np.eye(3)[[0, 1, 2]], np.array([0, 1, 2])
    said = Predictions(outputs.reshape(3, 3, 1, 1), labels, {})
    assert evaluate(said, said, ALONE).confusion == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


@pytest.mark.parametrize(("shape", "label_count"), [((2, 3), 4), ((2, 1), 3), ((2, 2, 2), 0)])
def test_an_output_of_another_shape_is_an_error(shape: tuple[int, ...], label_count: int) -> None:
    settings = EvaluationSettings(task="classification", label_count=label_count, is_original=True)
    said = Predictions(np.zeros(shape), np.array([0, 1]), {})
    with pytest.raises(ProjectFileError) as caught:
        evaluate(said, said, settings)
    assert f"(n, {', '.join(map(str, shape[1:]))})" in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.array([0, 3]), "3"),
        (np.array([0, -1]), "-1"),
        (np.array([0.0, 1.5]), "1.5"),
        (np.array([0.0, np.nan]), "nan"),
        (np.array(["0", "cat"]), "0"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_a_label_out_of_range_names_its_sample(labels: NDArray[Any], found: str) -> None:
    said = Predictions(np.zeros((2, 3)), labels, {})
    with pytest.raises(DatasetError) as caught:
        evaluate(said, said, ALONE)
    assert "a whole number from 0 to 2" in str(caught.value)
    assert f"found {found}." in str(caught.value)


def test_whole_labels_of_any_type_are_fine() -> None:
    outputs = np.eye(2)
    for labels in (np.array([0.0, 1.0]), np.array([0, 1], dtype=np.uint8), np.array([False, True])):
        said = Predictions(outputs, labels, {})
        assert evaluate(said, said, ALONE).confusion == ((1, 0), (0, 1))


def test_among_equal_scores_the_first_class_is_the_decision(figure: Figure) -> None:
    said = Predictions(np.zeros((2, 7)), np.array([0, 5]), {})
    result = evaluate(said, said, ALONE)
    assert figure(result, "accuracy").estimate.value == 0.5
    assert figure(result, "top_5_accuracy").estimate.value == 0.5


def test_up_to_five_classes_have_no_top_five(random_outputs: Maker) -> None:
    outputs, labels = random_outputs(50, 5)
    said = Predictions(outputs, labels, {})
    names = {value.metric for value in evaluate(said, said, LOGITS).metrics}
    assert "top_5_accuracy" not in names


def test_many_classes_come_without_a_confusion_table() -> None:
    said = Predictions(np.eye(300)[:40], np.arange(40), {})
    assert evaluate(said, said, ALONE).confusion == ()
