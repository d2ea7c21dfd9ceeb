"""Anomaly scores: every figure against scikit-learn, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics  # type: ignore[import-untyped] # no types

from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.errors import DatasetError, ProjectFileError
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate
from edgeworthy.statistics import share_interval

SETTINGS = EvaluationSettings(task="anomaly", resamples=200)
ALONE = EvaluationSettings(task="anomaly", resamples=200, is_original=True)
Figure = Callable[..., MetricValue]
NAMES = ("auroc", "average_precision", "partial_auroc")


def scored(n: int, *, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    labels = (np.arange(n) % 4 == 0).astype(np.int64)
    return labels, generator.standard_normal(n) + 1.5 * labels


def by_scikit_learn(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[float, ...]:
    return (
        metrics.roc_auc_score(labels, scores),
        metrics.average_precision_score(labels, scores),
        metrics.roc_auc_score(labels, scores, max_fpr=0.1),
    )


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=40, max_size=90),
)
def test_every_figure_is_scikit_learns_ties_included(rows: list[tuple[int, int]]) -> None:
    labels = np.array([kind == 0 for kind, _ in rows], dtype=np.int64)
    labels[:21], labels[21] = 0, 1
    scores = np.array([score for _, score in rows], dtype=np.float64)
    said = Predictions(scores, labels, {})
    settings = EvaluationSettings(task="anomaly", resamples=5, is_original=True)
    found = {value.metric: value.estimate.value for value in evaluate(said, said, settings).metrics}
    expected = dict(zip(NAMES, by_scikit_learn(labels, scores), strict=True))
    assert found == pytest.approx(expected, abs=1e-9)


def test_f1_of_the_alarms_is_scikit_learns_and_asks_for_a_threshold(figure: Figure) -> None:
    labels, before = scored(400)
    after = before + np.random.default_rng(2).standard_normal(400)
    said = Predictions(after, labels, {}), Predictions(before, labels, {})
    found = figure(evaluate(*said, replace(SETTINGS, threshold=1.0)), "f1_at_threshold")
    old, new = (metrics.f1_score(labels, each >= 1.0) for each in (before, after))
    assert found.estimate.value == pytest.approx(new)
    # F1 is 2 s / (1 + s) of the share s of true alarms among all that is alarm or anomalous.
    true, counted = int((labels & (after >= 1.0)).sum()), int((labels | (after >= 1.0)).sum())
    share = share_interval(true, counted, confidence=0.95)
    ends = [2 * end / (1 + end) for end in (share.low, share.high)]
    assert [found.estimate.low, found.estimate.high] == pytest.approx(ends)
    # No share of all samples, which is what the plan for more samples takes a plain name for.
    assert found.estimate.method == "f1-blaker-adjusted"
    assert found.drop is not None
    assert found.drop.value == pytest.approx(old - new)
    # Joined by the correlation of the two: as wide as the bootstrap of their difference.
    drawn = np.random.default_rng(4).integers(0, 400, (4000, 400))
    anomalous = labels[drawn] == 1
    alarms = [each[drawn] >= 1.0 for each in (before, after)]
    twins = [2 * (anomalous & a).sum(1) / (anomalous.sum(1) + a.sum(1)) for a in alarms]
    spread = np.std(twins[0] - twins[1])
    assert (found.drop.high - found.drop.low) / 2 == pytest.approx(1.96 * spread, rel=0.12)


def test_alarms_that_are_equal_on_few_samples_may_still_differ(figure: Figure) -> None:
    labels, scores = scored(30)
    said = Predictions(scores, labels, {})
    drop = figure(evaluate(said, said, replace(SETTINGS, threshold=1.0)), "f1_at_threshold").drop
    assert drop is not None
    assert drop.value == 0.0
    assert drop.low < 0.0 < drop.high


@pytest.mark.parametrize("n", [200, 3000])
def test_drops_are_differences_of_the_figures(n: int, figure: Figure) -> None:
    labels, before = scored(n)
    after = before + np.random.default_rng(2).standard_normal(n)
    result = evaluate(Predictions(after, labels, {}), Predictions(before, labels, {}), SETTINGS)
    pairs = zip(NAMES, by_scikit_learn(labels, before), by_scikit_learn(labels, after), strict=True)
    for name, old, new in pairs:
        drop = figure(result, name).drop
        assert drop is not None
        assert drop.value == pytest.approx(old - new, abs=1e-9)
        assert drop.low < drop.value < drop.high
        assert ("jackknife" in drop.method) == (name != "auroc")
    assert result.flips is None


def test_one_kind_of_sample_only_has_no_figures() -> None:
    said = Predictions(np.arange(30.0), np.zeros(30, dtype=np.int64), {})
    assert evaluate(said, said, SETTINGS).metrics == ()


def test_too_few_normal_samples_have_no_partial_area() -> None:
    labels, scores = scored(20)
    said = Predictions(scores, labels, {})
    names = [value.metric for value in evaluate(said, said, SETTINGS).metrics]
    assert names == ["auroc", "average_precision"]


def test_perfect_separation_is_not_certain(figure: Figure) -> None:
    labels = (np.arange(60) % 3 == 0).astype(np.int64)
    said = Predictions(labels * 5.0 + np.arange(60) / 100, labels, {})
    result = evaluate(said, said, SETTINGS)
    for name in NAMES:
        found = figure(result, name)
        assert found.estimate.value == 1.0
        assert found.estimate.low < 0.95
        assert found.drop is not None
        # A kind that was not drawn may be lost; that one is gained, nothing hints at.
        assert -0.05 < found.drop.low < 0.0
        assert found.drop.high > 0.05


def test_more_than_one_score_per_sample_is_an_error() -> None:
    said = Predictions(np.zeros((3, 2)), np.zeros(3), {})
    with pytest.raises(ProjectFileError) as caught:
        evaluate(said, said, ALONE)
    assert "task anomaly" in str(caught.value)


def test_a_label_that_is_neither_is_an_error() -> None:
    said = Predictions(np.zeros(3), np.array([0, 1, 2]), {})
    with pytest.raises(DatasetError) as caught:
        evaluate(said, said, ALONE)
    assert "from 0 to 1" in str(caught.value)
