"""Temperature scaling: one number that makes a classifier's confidence mean what it says.

Rules:

1. The logits are divided by the temperature before the softmax. It never changes a decision.
2. It is the one under which the labels of the calibration samples are likeliest: the log
   likelihood is concave in its inverse, so there is exactly one and no random start.
3. Where nothing bounds it there is none: samples without a single wrong answer would make every
   confidence 1. The refusal says so.
4. Where the interval holds 1 there is none either: nothing shows that the confidence is wrong, and
   a correction would as likely do harm.
5. The judged samples play no part in it.

Source: Guo et al., ICML 2017 (arXiv 1706.04599); the interval is White's (Econometrica 50, 1982).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.classification import logits_of
from edgeworthy.statistics.distributions import normal_quantile

#: Fewer samples say nothing about confidence.
LEAST_SAMPLES = 30
_COLDEST, _HOTTEST = 0.05, 20.0
_STEPS = 60
_EXACT = 1e-12


@dataclass(frozen=True)
class FittedTemperature:
    """A temperature, or why there is none.

    Attributes:
        temperature: With its interval; absent when refused.
        refusal: Why it is absent.
        loss_before: Mean negative log likelihood of the calibration labels, as the model is.
        loss_after: The same with the temperature.
    """

    temperature: Estimate | None
    refusal: str
    loss_before: float
    loss_after: float


def fit_temperature(
    calibration: Predictions, settings: EvaluationSettings, *, confidence: float = 0.95
) -> FittedTemperature:
    """Fit the temperature of one file.

    Args:
        calibration: What the file says about the calibration samples.
        settings: How outputs are read.
        confidence: Of the interval.

    >>> rng = np.random.default_rng(0)
    >>> logits = rng.normal(0.0, 2.0, (4000, 5))
    >>> chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    >>> labels = (chances.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    >>> said = Predictions(3.0 * logits, labels, {})
    >>> fitted = fit_temperature(said, EvaluationSettings(task="classification"))
    >>> fitted.temperature.low < 3.0 < fitted.temperature.high
    True
    """
    logits, labels = logits_of(calibration, settings)
    logits = logits - logits.max(axis=1, keepdims=True)
    likelihood = _Likelihood(logits, labels)
    before = likelihood.loss(1.0)
    refusal = _refusal(logits, labels, likelihood)
    if refusal:
        return FittedTemperature(None, refusal, before, before)
    inverse = _root(likelihood)
    estimate = _estimate(likelihood, inverse, confidence)
    if estimate.low <= 1.0 <= estimate.high:
        refusal = (
            f"its interval, {estimate.low:.3g} to {estimate.high:.3g}, holds 1: nothing shows that "
            "the confidence is wrong"
        )
        return FittedTemperature(None, refusal, before, before)
    return FittedTemperature(estimate, "", before, likelihood.loss(inverse))


class _Likelihood:
    """The likelihood of labels as a function of the inverse temperature."""

    def __init__(self, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        self._logits = logits
        self._true = logits[np.arange(len(labels)), labels]

    def __len__(self) -> int:
        return len(self._true)

    def loss(self, inverse: float) -> float:
        """Mean negative log likelihood."""
        scaled = inverse * self._logits
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - inverse * self._true))

    def slopes(self, inverse: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """First and second derivative of each sample's loss, ``(n,)`` each."""
        shares = np.exp(inverse * self._logits)
        shares /= shares.sum(axis=1, keepdims=True)
        means = (shares * self._logits).sum(axis=1)
        squares = (shares * self._logits**2).sum(axis=1)
        return means - self._true, squares - means**2


def _refusal(
    logits: NDArray[np.float64], labels: NDArray[np.int64], likelihood: _Likelihood
) -> str:
    if len(labels) < LEAST_SAMPLES:
        return f"{len(labels)} calibration samples are too few, {LEAST_SAMPLES} are needed"
    if (logits.argmax(axis=1) == labels).all():
        return "no calibration sample is answered wrongly: nothing bounds the confidence"
    coldest, hottest = likelihood.slopes(1 / _COLDEST), likelihood.slopes(1 / _HOTTEST)
    if coldest[0].sum() < 0:
        return f"every temperature above {_COLDEST:g} is too high"
    if hottest[0].sum() > 0:
        return f"no temperature up to {_HOTTEST:g} suits: the outputs say nothing about the labels"
    return ""


def _root(likelihood: _Likelihood) -> float:
    """Where the slope is zero: Newton's method, kept inside a bracket."""
    low, high = 1 / _HOTTEST, 1 / _COLDEST
    at = 1.0
    for _ in range(_STEPS):
        first, second = likelihood.slopes(at)
        slope, bend = float(first.sum()), float(second.sum())
        low, high = (at, high) if slope < 0 else (low, at)
        step = at - slope / bend if bend > 0 else low
        following = step if low < step < high else math.sqrt(low * high)
        if abs(following - at) <= _EXACT * at:
            return following
        at = following
    return at


def _estimate(likelihood: _Likelihood, inverse: float, confidence: float) -> Estimate:
    first, second = likelihood.slopes(inverse)
    bend = float(second.sum())
    # Fisher's variance is White's if the model fits; the larger of the two is never too sure.
    deviation = max(math.sqrt(float((first**2).sum())) / bend, bend**-0.5) / inverse
    arm = normal_quantile((1 + confidence) / 2) * deviation
    value = 1 / inverse
    return Estimate(
        value=value,
        low=value * math.exp(-arm),
        high=value * math.exp(arm),
        confidence=confidence,
        n=len(likelihood),
        method="white-log",
        unit="ratio",
    )
