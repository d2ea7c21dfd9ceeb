"""A device decides as the evaluation did, to the last digit that counts."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.worker.releases import linear_release
from edgeworthy.agent.worker.decisions import Decisions, probabilities
from edgeworthy.documents.project import Scores
from edgeworthy.errors import InferenceError
from edgeworthy.evaluation import EvaluationSettings, Predictions
from edgeworthy.evaluation.tasks.classification import Classification


@given(
    st.integers(1, 6),
    st.sampled_from(["logits", "probabilities"]),
    st.sampled_from([1.0, 0.5, 2.5]),
    st.integers(0, 1000),
)
def test_a_device_decides_as_the_evaluation_did(
    classes: int, scores: Scores, temperature: float, seed: int
) -> None:
    outputs = np.random.default_rng(seed).normal(size=(5, classes))
    if scores == "probabilities":
        outputs = 1 / (1 + np.exp(-outputs))
        outputs = outputs if classes == 1 else outputs / outputs.sum(axis=1, keepdims=True)
    settings = EvaluationSettings(
        task="classification", confidences=(0.95,), scores=scores, temperature=temperature
    )
    labels = np.zeros(5, np.int64)
    judged = Classification().decode(Predictions(outputs, labels, {}), settings)
    chances = probabilities(outputs, scores, temperature)
    assert chances.argmax(axis=1).tolist() == judged.predicted.tolist()
    np.testing.assert_allclose(chances.max(axis=1), judged.confidence, rtol=1e-12)


@pytest.mark.parametrize(("task", "name"), [("regression", "value"), ("anomaly", "score")])
def test_one_value_per_sample_is_given_as_it_is(task: str, name: str) -> None:
    manifest = msgspec.structs.replace(linear_release().manifest, task=task)
    decisions = Decisions(manifest, manifest.variants[0])
    assert decisions.of({"scores": np.array([[1.5], [2.5]])}, 2)[name].tolist() == [1.5, 2.5]
    with pytest.raises(InferenceError, match="more than one value"):
        decisions.of({"scores": np.zeros((2, 3))}, 2)


def test_what_is_no_number_is_no_decision() -> None:
    manifest = linear_release().manifest
    decisions = Decisions(manifest, manifest.variants[0])
    with pytest.raises(InferenceError, match="not a finite number"):
        decisions.of({"scores": np.array([[np.nan, 0.0, 0.0]])}, 1)
    with pytest.raises(InferenceError, match="another number of classes"):
        decisions.of({"scores": np.zeros((1, 4))}, 1)


def test_a_task_without_a_rule_gives_the_outputs_of_the_model() -> None:
    manifest = msgspec.structs.replace(linear_release().manifest, task="detection")
    decisions = Decisions(manifest, manifest.variants[0])
    outputs = {"boxes": np.zeros((1, 4)), "scores": np.zeros((1, 3))}
    assert decisions.outputs == ()
    assert decisions.of(outputs, 1) == outputs
