"""From scores to figures and findings: a brittle artefact is found, its clean twin is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # ships no types

from edgeworthy.documents.corruption import CorruptionFigure, StudiedCorruption
from edgeworthy.evaluation.corruptions import (
    AnyCorruption,
    Draws,
    Facts,
    Question,
    SampleKeys,
    Scored,
    corruption_figures,
    corruption_findings,
    corruption_metrics,
    corruptions_of,
    scoring_of,
)
from edgeworthy.evaluation.samples import Detections, Scores, SegmentedImages, Values

CORRUPTIONS = tuple(
    StudiedCorruption(name=name, group=group, title=name)
    for name, group in (("fog", "weather"), ("snow", "weather"), ("sensor_noise", "camera"))
)


def question_about(task: str, labels: NDArray[np.int64]) -> Question:
    scoring = scoring_of(task)
    assert scoring is not None
    return Question(scoring, labels, CORRUPTIONS, (1, 3, 5), (0.95,))


def hits(generator: np.random.Generator, n: int, share: float) -> Scored:
    return Scored(
        (generator.random((1, n)) < 0.95).astype(float),
        {each.name: (generator.random((3, n)) < share).astype(float) for each in CORRUPTIONS},
    )


def twin_of(scored: Scored, generator: np.random.Generator, rate: float) -> Scored:
    """The same answers, some of them flipped."""

    def flipped(table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(generator.random(table.shape) < rate, 1 - table, table)

    return Scored(
        flipped(scored.clean), {name: flipped(each) for name, each in scored.corrupted.items()}
    )


def find(
    figures: tuple[CorruptionFigure, ...],
    corruption: str = "",
    severity: int | None = None,
    metric: str = "corruption_accuracy",
) -> CorruptionFigure:
    (found,) = [
        each
        for each in figures
        if (each.metric, each.corruption, each.severity) == (metric, corruption, severity)
    ]
    return found


def test_means_are_over_conditions_of_equal_weight() -> None:
    generator = np.random.default_rng(0)
    original, subject = hits(generator, 200, 0.9), hits(generator, 200, 0.7)
    question = question_about("classification", np.zeros(200, np.int64))
    figures = corruption_figures(question, subject, original)
    fog, snow = subject.corrupted["fog"], subject.corrupted["snow"]
    assert find(figures, severity=0).estimate.value == subject.clean.mean()
    assert find(figures, "fog", 3).estimate.value == pytest.approx(fog[1].mean())
    assert find(figures, "fog").estimate.value == pytest.approx(fog.mean())
    assert find(figures, "weather").estimate.value == pytest.approx((fog.mean() + snow.mean()) / 2)
    mean = find(figures)
    every = np.mean([each.mean() for each in subject.corrupted.values()])
    before = np.mean([each.mean() for each in original.corrupted.values()])
    assert mean.estimate.value == pytest.approx(every)
    assert mean.estimate.n == 200
    assert mean.drop is not None
    assert mean.drop.value == pytest.approx(before - every)
    ratio = find(figures, metric="relative_corruption_error")
    assert ratio.estimate.value == pytest.approx((1 - every) / (1 - before))
    assert {each.severity for each in figures if each.corruption == "weather"} == {None}


def test_the_original_has_neither_drops_nor_ratios() -> None:
    question = question_about("classification", np.zeros(50, np.int64))
    figures = corruption_figures(question, hits(np.random.default_rng(1), 50, 0.8), None)
    assert all(each.drop is None for each in figures)
    assert {each.metric for each in figures} == {"corruption_accuracy"}


def test_a_brittle_artefact_is_found_and_its_clean_twin_is_not() -> None:
    generator = np.random.default_rng(2)
    original = hits(generator, 300, 0.9)
    twin = twin_of(original, generator, 0.01)
    noisy = (generator.random((3, 300)) < 0.6).astype(float)
    brittle = Scored(twin.clean, {**twin.corrupted, "sensor_noise": noisy})
    question = question_about("classification", np.zeros(300, np.int64))
    (found,) = corruption_findings(question, brittle, original)
    assert (found.kind, found.slice) == ("corruption-loss", "corruption=sensor_noise")
    assert "accuracy 0." in found.sentence
    assert found.estimate.low > 0.2
    assert found.adjusted_p_value is not None
    assert found.adjusted_p_value < 1e-6
    assert corruption_findings(question, twin, original) == ()


def test_an_artefact_that_is_worse_everywhere_alike_is_not_called_brittle() -> None:
    generator = np.random.default_rng(3)
    original = hits(generator, 400, 0.95)
    worse = twin_of(original, generator, 0.2)
    assert (
        corruption_findings(
            question_about("classification", np.zeros(400, np.int64)), worse, original
        )
        == ()
    )


def test_false_alarms_are_rare() -> None:
    generator = np.random.default_rng(4)
    question = question_about("classification", np.zeros(150, np.int64))
    alarms = 0
    for _ in range(200):
        original = hits(generator, 150, 0.85)
        # Both are noisy versions of the same answers: neither is worse.
        pair = [twin_of(original, generator, 0.15) for _ in range(2)]
        alarms += bool(corruption_findings(question, *pair))
    assert alarms <= 20  # 5 % of 200 is 10; 20 has a chance below 1 in 300


def test_the_area_under_the_curve_is_scikit_learns() -> None:
    generator = np.random.default_rng(5)
    labels = (generator.random(120) < 0.3).astype(np.int64)
    scoring = scoring_of("anomaly")
    assert scoring is not None
    tables = np.stack([labels * shift + generator.standard_normal(120) for shift in (0.5, 2.0)])
    tables[1] = np.rint(tables[1])
    kept = scoring.scores(Scores(labels, tables[0]))
    np.testing.assert_array_equal(kept, tables[0])
    expected = [roc_auc_score(labels, scores) for scores in tables]
    estimate = scoring.estimate(tables, labels, confidence=0.95)
    assert estimate is not None
    assert estimate.value == pytest.approx(np.mean(expected), abs=1e-12)
    assert scoring.estimate(tables, np.zeros(120, np.int64), confidence=0.95) is None


def test_errors_of_a_regressor_are_distances() -> None:
    scoring = scoring_of("regression")
    assert scoring is not None
    labels = np.array([1.0, 2.0])
    np.testing.assert_array_equal(scoring.scores(Values(labels, np.array([1.5, 0.0]))), [0.5, 2.0])
    worse = scoring.drop(
        np.full((2, 9), 3.0), np.ones((2, 9)), np.zeros(9, np.int64), confidence=0.95
    )
    assert worse is not None
    assert worse.value == 2.0


def test_tasks_without_a_score_have_no_metrics_under_corruption() -> None:
    assert corruption_metrics("anomaly") == ("corruption_auroc", "relative_corruption_error")
    assert corruption_metrics("embedding") == ()


def test_boxes_and_areas_are_scored_image_by_image() -> None:
    boxes, areas = scoring_of("detection"), scoring_of("segmentation")
    assert boxes is not None
    assert areas is not None
    truth = np.array([[[0, 0, 0, 9, 9], [1, 5, 5, 9, 9]], [[0, 0, 0, 4, 4], [-1, 0, 0, 0, 0]]])
    said = Detections(
        labels=truth,
        scores=np.array([[0.9, 0.8, 0.2], [0.7, 0.1, 0.1]]),
        classes=np.array([[0, 1, 1], [1, -1, -1]]),
        hits=np.array([[[True], [False], [True]], [[False], [False], [False]]]).repeat(10, axis=2),
        class_count=2,
    )
    # First image: two sure boxes, one of them right, two true ones. Second: one, wrong, one true.
    assert boxes.scores(said).tolist() == [0.5, 0.0]
    maps = SegmentedImages(
        labels=np.array([[6, 4, 0], [10, 0, 0]]),
        right=np.array([[5, 3, 0], [10, 0, 0]]),
        predicted=np.array([[6, 4, 0], [10, 0, 0]]),
    )
    assert areas.scores(maps) == pytest.approx([(5 / 7 + 3 / 5) / 2, 1.0])
    assert boxes.needs_places
    assert areas.needs_places


def displacement(corruption: AnyCorruption, picture: NDArray[np.float32]) -> float:
    """How far the edge of a dark half moved, in pixels, at the third severity."""
    draws = Draws(1, corruption.name, SampleKeys(picture))
    facts = Facts(np.full(3, 0.5, np.float32), np.full(3, 0.3, np.float32), picture)
    after = corruption.corrupt(picture, 3, draws, facts).mean(axis=-1)
    before = picture.mean(axis=-1)
    # Where the step up is, from where a row correlates best with the shifted original.
    shifts = range(-12, 13)
    best = [
        max(shifts, key=lambda by: float(np.dot(row - row.mean(), np.roll(old, by) - old.mean())))
        for row, old in zip(after.reshape(-1, 96), before.reshape(-1, 96), strict=True)
    ]
    return float(np.mean(np.abs(best)))


def test_what_is_said_to_move_things_moves_them_and_camera_noise_does_not() -> None:
    picture = np.full((4, 96, 96, 3), 0.2, np.float32)
    picture[:, :, 40:60] = 0.8
    by_name = {each.name: each for each in corruptions_of("image")}
    moving = {name for name, each in by_name.items() if each.moves_content}
    assert moving == {"elastic", "rolling_shutter"}
    assert min(displacement(by_name[name], picture) for name in moving) > 1.0
    staying = ("defocus_blur", "glass_blur", "gaussian_noise", "zoom_blur", "jpeg", "contrast")
    assert max(displacement(by_name[name], picture) for name in staying) < 1.0
