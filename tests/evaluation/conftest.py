"""Models that say what a test wants them to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.evaluation import EvaluationResult, Predictions

Speaker = Callable[..., Predictions]


@pytest.fixture
def figure() -> Callable[..., MetricValue]:
    """Look one figure up in a result."""

    def find(
        result: EvaluationResult, metric: str, part: str = "", confidence: float = 0.95
    ) -> MetricValue:
        found = [
            value
            for value in result.metrics
            if (value.metric, value.slice) == (metric, part)
            and value.estimate.confidence == confidence
        ]
        assert len(found) == 1, (metric, part, confidence)
        return found[0]

    return find


@pytest.fixture
def classifier() -> Speaker:
    """Predictions of a classifier: logits whose softmax is sure of the given class."""

    def speak(
        predicted: NDArray[np.int64],
        labels: NDArray[np.int64],
        *,
        classes: int = 3,
        logit: float | NDArray[np.float64] = 2.0,
        slices: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Predictions:
        outputs = np.zeros((len(labels), classes), dtype=np.float32)
        outputs[np.arange(len(labels)), predicted] = logit
        return Predictions(outputs, labels, dict(slices or {}))

    return speak


@pytest.fixture
def random_outputs() -> Callable[..., tuple[NDArray[Any], NDArray[np.int64]]]:
    """Logits that are right about as often as not, and labels."""

    def make(n: int, classes: int, seed: int = 1) -> tuple[NDArray[Any], NDArray[np.int64]]:
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, classes, n)
        outputs = generator.standard_normal((n, classes))
        outputs[np.arange(n), labels] += 1.5
        return outputs, labels

    return make
