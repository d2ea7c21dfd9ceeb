"""Temperature scaling finds the temperature, bounds it, and says when there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped] # scipy ships no types
from scipy.special import log_softmax, softmax  # type: ignore[import-untyped] # the same

from edgeworthy.evaluation import EvaluationSettings, Predictions, fit_temperature
from edgeworthy.evaluation.confidence import scaled_confidence
from edgeworthy.evaluation.tasks.classification import Classification

LOGITS = EvaluationSettings(task="classification")
PROBABILITIES = EvaluationSettings(task="classification", scores="probabilities")


def answers(
    n: int, *, temperature: float, classes: int = 4, seed: int = 0, spread: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits that are calibrated once divided by ``temperature``."""
    generator = np.random.default_rng(seed)
    honest = generator.normal(0.0, spread, (n, classes))
    chances = softmax(honest, axis=1)
    labels = (chances.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1)
    return temperature * honest, np.minimum(labels, classes - 1)


@pytest.mark.parametrize("temperature", [0.4, 2.5, 8.0])
def test_it_is_the_minimum_that_scipy_finds(temperature: float) -> None:
    logits, labels = answers(800, temperature=temperature)

    def loss(inverse: float) -> float:
        return float(-log_softmax(inverse * logits, axis=1)[np.arange(800), labels].mean())

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-10})
    fitted = fit_temperature(Predictions(logits, labels, {}), LOGITS)
    assert fitted.temperature is not None
    assert fitted.temperature.value == pytest.approx(1 / best.x, rel=1e-6)
    assert fitted.loss_after == pytest.approx(best.fun, abs=1e-12)
    assert fitted.loss_before == pytest.approx(loss(1.0), abs=1e-12)


def test_its_interval_covers() -> None:
    hits = 0
    for seed in range(400):
        logits, labels = answers(200, temperature=2.0, seed=seed)
        fitted = fit_temperature(Predictions(logits, labels, {}), LOGITS)
        assert fitted.temperature is not None
        hits += fitted.temperature.low <= 2.0 <= fitted.temperature.high
    assert 0.92 <= hits / 400 <= 0.98


def test_one_output_is_divided_like_two() -> None:
    logits, labels = answers(500, temperature=3.0, classes=2)
    both = fit_temperature(Predictions(logits, labels, {}), LOGITS).temperature
    margin = logits[:, 1:] - logits[:, :1]
    one = fit_temperature(Predictions(margin, labels, {}), LOGITS).temperature
    assert both is not None
    assert one is not None
    assert one.value == pytest.approx(both.value, rel=1e-9)


def test_probabilities_are_scaled_by_their_logarithms() -> None:
    logits, labels = answers(500, temperature=2.0)
    whole = fit_temperature(Predictions(logits, labels, {}), LOGITS).temperature
    said = Predictions(softmax(logits, axis=1), labels, {})
    shares = fit_temperature(said, PROBABILITIES).temperature
    assert whole is not None
    assert shares is not None
    assert shares.value == pytest.approx(whole.value, rel=0.02)


def test_what_is_applied_is_the_softmax_of_divided_logits() -> None:
    logits, labels = answers(50, temperature=2.0)
    hot = EvaluationSettings(task="classification", temperature=2.0)
    judged = Classification().decode(Predictions(logits, labels, {}), hot)
    np.testing.assert_allclose(judged.confidence, softmax(logits / 2.0, axis=1).max(axis=1))
    cold = Classification().decode(Predictions(logits, labels, {}), LOGITS)
    np.testing.assert_array_equal(judged.predicted, cold.predicted)


def test_a_certainty_of_an_integer_model_is_cooled_too() -> None:
    said = Predictions(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), {})
    hot = EvaluationSettings(task="classification", scores="probabilities", temperature=4.0)
    confidence = Classification().decode(said, hot).confidence
    np.testing.assert_allclose(confidence, 1 / (1 + 1e-6 ** (1 / 4)))


def test_confidence_that_means_what_it_says_is_left_alone() -> None:
    """At 95 %, one calibrated model in twenty is corrected by a little."""
    left = 0
    for seed in range(60):
        logits, labels = answers(300, temperature=1.0, seed=seed)
        fitted = fit_temperature(Predictions(logits, labels, {}), LOGITS)
        left += "holds 1" in fitted.refusal
    assert left >= 50


def test_confidence_is_mended() -> None:
    logits, labels = answers(3000, temperature=3.0, seed=5)
    fitted = fit_temperature(Predictions(logits[:1000], labels[:1000], {}), LOGITS).temperature
    assert fitted is not None
    judged = Predictions(logits[1000:], labels[1000:], {"half": ("a", "b") * 1000})
    scaled = scaled_confidence(judged, LOGITS, fitted.value)
    plain = scaled_confidence(judged, LOGITS, 1.0)
    before, after = plain.metrics[0].estimate, scaled.metrics[0].estimate
    assert before.low > 0.1
    assert after.value < 0.04
    assert [value.slice for value in scaled.metrics] == ["", "half=a", "half=b"]
    assert sum(each.sample_count for each in scaled.reliability) == 2000


@pytest.mark.parametrize(
    ("logits", "labels", "reason"),
    [
        (np.eye(20), np.arange(20), "too few"),
        (np.eye(40), np.arange(40), "nothing bounds the confidence"),
        (np.eye(40), (np.arange(40) + 1) % 40, "say nothing about the labels"),
    ],
)
def test_it_is_refused_with_a_reason(
    logits: NDArray[np.float64], labels: NDArray[np.int64], reason: str
) -> None:
    fitted = fit_temperature(Predictions(logits, labels, {}), LOGITS)
    assert fitted.temperature is None
    assert reason in fitted.refusal
