"""A class per pixel: scikit-learn's Jaccard index, ignored pixels, images as samples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics  # type: ignore[import-untyped] # scikit-learn ships no types

from edgeworthy.documents.project import ModelSection
from edgeworthy.errors import DatasetError, InferenceError
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate, judged_as
from edgeworthy.evaluation.tasks import find_task

ALONE = EvaluationSettings(task="segmentation", is_original=True, label_count=4, resamples=100)
SECTION = ModelSection(path="m.onnx", task="segmentation", labels=("a", "b", "c", "d"))


def pictures(n: int, seed: int, noise: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Answers and truth of three of four classes, some pixels ignored."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, (n, 8, 9)).astype(np.uint8)
    wrong = random.random(truth.shape) < noise
    answers = np.where(wrong, random.integers(0, 4, truth.shape), truth).astype(np.uint8)
    truth[random.random(truth.shape) < 0.1] = 255
    return answers, truth


def test_the_figures_are_scikit_learns() -> None:
    answers, truth = pictures(30, 0, 0.3)
    said = Predictions(answers, truth, {})
    found = {each.metric: each.estimate.value for each in evaluate(said, said, ALONE).metrics}
    judged = truth != 255
    expected = metrics.jaccard_score(
        truth[judged], answers[judged], average="macro", labels=np.unique(truth[judged])
    )
    assert found["mean_iou"] == pytest.approx(expected, abs=1e-12)
    accuracy = metrics.accuracy_score(truth[judged], answers[judged])
    assert found["pixel_accuracy"] == pytest.approx(accuracy, abs=1e-12)


def test_a_worse_model_has_a_drop_with_an_interval() -> None:
    good, truth = pictures(80, 1, 0.1)
    bad, _ = pictures(80, 1, 0.3)
    settings = EvaluationSettings(task="segmentation", label_count=4, resamples=100)
    result = evaluate(Predictions(bad, truth, {}), Predictions(good, truth, {}), settings)
    drop = result.metrics[0].drop
    assert drop is not None
    assert 0.05 < drop.low < drop.value < drop.high


def test_a_loss_is_that_of_the_classes_shown() -> None:
    truth = np.zeros((2, 2, 2), dtype=np.uint8)
    answers = truth.copy()
    answers[1, 0] = 1
    task = find_task("segmentation")
    losses = task.losses(task.decode(Predictions(answers, truth, {}), ALONE)).values
    assert losses.tolist() == [0.0, 0.5]


@pytest.mark.parametrize("shape", ["NCHW", "NHWC", "NHW", "N1HW"])
def test_scores_become_classes(shape: str) -> None:
    classes = np.random.default_rng(2).integers(0, 4, (3, 5, 6))
    scores = np.eye(4)[classes]
    tensors = {
        "NCHW": np.moveaxis(scores, 3, 1),
        "NHWC": scores,
        "NHW": classes,
        "N1HW": classes[:, None],
    }
    run, name = judged_as(lambda _: {"out": tensors[shape]}, SECTION)
    made = run({})[name]
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, classes)


def test_what_does_not_fit_is_refused() -> None:
    run, _ = judged_as(lambda _: {"out": np.zeros((2, 7, 5, 6))}, SECTION)
    with pytest.raises(InferenceError, match="scores of 4 classes per pixel"):
        run({})
    answers, truth = pictures(4, 3, 0.1)
    said = Predictions(answers, truth[:, :4], {})
    with pytest.raises(DatasetError, match="not of one size"):
        evaluate(said, said, ALONE)
