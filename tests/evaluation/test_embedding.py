"""Vectors: neighbors found by brute force, queries without a mate, fidelity to the original."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import neighbors  # type: ignore[import-untyped] # scikit-learn ships no types

from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Embeddings
from edgeworthy.evaluation.tasks import find_task

ALONE = EvaluationSettings(task="embedding", is_original=True, resamples=100)
PAIRED = EvaluationSettings(task="embedding", resamples=100)


def people(n: int, seed: int, noise: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, n // 5, n)
    return random.normal(size=(n // 5, 8))[labels] + noise * random.normal(size=(n, 8)), labels


def test_recall_is_that_of_scikit_learns_neighbors() -> None:
    vectors, labels = people(200, 0, 0.9)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    search = neighbors.NearestNeighbors(n_neighbors=6, metric="cosine").fit(unit)
    found = labels[search.kneighbors(unit, return_distance=False)[:, 1:]] == labels[:, None]
    asked = np.bincount(labels)[labels] > 1
    said = Predictions(vectors, labels, {})
    ours = {each.metric: each.estimate for each in evaluate(said, said, ALONE).metrics}
    assert set(ours) == {"recall_at_1", "recall_at_5"}
    assert ours["recall_at_1"].value == pytest.approx(found[asked, 0].mean())
    assert ours["recall_at_5"].value == pytest.approx(found[asked].any(axis=1).mean())
    assert ours["recall_at_1"].n == int(asked.sum())


def test_fidelity_is_the_mean_cosine_and_scale_does_not_count() -> None:
    before, labels = people(300, 1, 0.5)
    after = 7.0 * (before + np.random.default_rng(2).normal(0.0, 0.2, before.shape))
    cosines = (before * after).sum(axis=1)
    cosines /= np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    result = evaluate(Predictions(after, labels, {}), Predictions(before, labels, {}), PAIRED)
    found = {each.metric: each for each in result.metrics}
    fidelity = found["cosine_fidelity"].estimate
    assert fidelity.value == pytest.approx(cosines.mean(), abs=1e-12)
    assert fidelity.low < fidelity.value < fidelity.high
    assert 0.3 < found["neighbor_agreement"].estimate.value < 1.0
    assert found["recall_at_1"].drop is not None


def test_fidelity_of_few_vectors_is_covered_where_a_few_move_far() -> None:
    # The bias-corrected bootstrap covers 87 % here; three standard errors of 500 sets are 2.9.
    metric = next(
        m for m in find_task("embedding").metrics if m.definition.name == "cosine_fidelity"
    )
    generator = np.random.default_rng(5)

    def drawn(n: int) -> tuple[Embeddings, Embeddings]:
        angles = 0.1 * generator.standard_t(5, n)
        before = np.tile([1.0, 0.0], (n, 1))
        after = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        nobody = np.zeros(n, dtype=np.int64)
        return Embeddings(nobody, after, nobody, nobody), Embeddings(nobody, before, nobody, nobody)

    plan = IntervalPlan((0.95,), 1, 200)
    truth = metric.estimates(*drawn(400_000), plan)[0].value
    found = [metric.estimates(*drawn(20), plan)[0] for _ in range(500)]
    assert 0.92 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.99


def test_slices_take_queries_and_keep_the_gallery() -> None:
    vectors = np.array([[1.0, 0], [0.9, 0.1], [0, 1.0], [0.1, 0.9]])
    said = Predictions(vectors, np.array([0, 0, 1, 1]), {"camera": ("x", "y", "x", "y")})
    figures = [each for each in evaluate(said, said, ALONE).metrics if each.slice == "camera=x"]
    assert [each.estimate.value for each in figures] == [1.0, 1.0]


def test_a_label_of_one_sample_is_no_query() -> None:
    said = Predictions(np.eye(3), np.array([0, 1, 2]), {})
    assert evaluate(said, said, ALONE).metrics == ()


def test_one_number_is_no_vector() -> None:
    said = Predictions(np.ones((3, 1)), np.zeros(3), {})
    with pytest.raises(ProjectFileError, match="a vector per sample"):
        evaluate(said, said, ALONE)
