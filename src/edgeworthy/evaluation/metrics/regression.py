"""How far a regressor's answers are from the truth, and from the original's answers.

Rules:

1. Bootstrap intervals. Those of an error are at least as wide as Student's on a logarithmic scale,
   which hold for few and skewed errors too; those of squares are longer by Bonett's factor.
2. The arms of a drop are at least what an unseen kind of sample would do if it changed as much as
   the one that changed most. Answers that are equal bit for bit have a drop of exactly 0.
3. A single sample has no interval and gives no figure.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, resampled_estimates
from edgeworthy.evaluation.samples import Values
from edgeworthy.statistics.distributions import normal_quantile, student_t_quantile
from edgeworthy.statistics.replicates import unseen_share
from edgeworthy.statistics.resampling import Statistic

_FEWEST_SAMPLES = 2


class _Error(Metric[Values]):
    """A mean over samples of some power of the error, brought back to the label's unit."""

    power: int

    def estimates(
        self,
        subject: Values,
        original: Values,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The error with a bootstrap interval."""
        return _power_mean(np.abs(subject.errors), self.power, self.definition.name, plan)

    def drops(self, subject: Values, original: Values, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Subject's error minus the original's, resampled together."""
        before, after = np.abs(original.errors), np.abs(subject.errors)
        mean_before = _power_mean_statistic(before, self.power)
        mean_after = _power_mean_statistic(after, self.power)
        return _estimates(
            lambda weights: mean_after(weights) - mean_before(weights),
            len(subject),
            plan,
            f"{self.definition.name} drop",
            _unseen_change(before**self.power, after**self.power, self.power),
            ("label", -math.inf, math.inf),
        )


class MeanAbsoluteError(_Error):
    """Mean distance between answer and truth."""

    power = 1
    definition = MetricDefinition(
        name="mean_absolute_error",
        unit="label",
        higher_is_better=False,
        title="Mean absolute error",
        source="Willmott and Matsuura, Clim. Res. 30 (2005); interval: Efron 1987 (BCa)",
    )


class RootMeanSquaredError(_Error):
    """Root of the mean squared distance between answer and truth."""

    power = 2
    definition = MetricDefinition(
        name="root_mean_squared_error",
        unit="label",
        higher_is_better=False,
        title="Root mean squared error",
        source="Hyndman and Koehler, Int. J. Forecast. 22 (2006); interval: Efron 1987 (BCa)",
    )


class MeanDeviation(Metric[Values]):
    """Mean distance between this artefact's answers and the original's, whatever the truth."""

    definition = MetricDefinition(
        name="mean_deviation",
        unit="label",
        higher_is_better=False,
        title="Mean deviation from the original",
        source="mean absolute difference of paired answers; interval: Efron 1987 (BCa)",
        needs_original=True,
    )

    def estimates(
        self, subject: Values, original: Values, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """The deviation with a bootstrap interval."""
        distances = np.abs(subject.predicted - original.predicted)
        return _power_mean(distances, 1, self.definition.name, plan)


class RSquared(Metric[Values]):
    """Share of the labels' variance that the answers explain; undefined for constant labels."""

    definition = MetricDefinition(
        name="r_squared",
        unit="ratio",
        higher_is_better=True,
        title="Coefficient of determination",
        source="1 - residual / total sum of squares; interval: Efron 1987 (BCa)",
    )

    def estimates(
        self,
        subject: Values,
        original: Values,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """R squared with a bootstrap interval."""
        return _estimates(
            _r_squared(subject),
            len(subject),
            plan,
            "r_squared",
            _unseen_share_of_variance(subject.errors**2, subject.labels),
            ("ratio", -math.inf, 1.0),
        )

    def drops(self, subject: Values, original: Values, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's R squared minus the subject's, resampled together."""
        before, after = _r_squared(original), _r_squared(subject)
        return _estimates(
            lambda weights: before(weights) - after(weights),
            len(subject),
            plan,
            "r_squared drop",
            _unseen_share_of_variance(original.errors**2 - subject.errors**2, subject.labels),
            ("ratio", -math.inf, math.inf),
        )


def _power_mean(
    distances: NDArray[np.float64], power: int, purpose: str, plan: IntervalPlan
) -> tuple[Estimate, ...]:
    if len(distances) < _FEWEST_SAMPLES:
        return ()
    statistic = _power_mean_statistic(distances, power)
    floor = _log_student(distances**power, power)
    return _estimates(statistic, len(distances), plan, purpose, floor, ("label", 0.0, math.inf))


def _estimates(
    statistic: Statistic,
    n: int,
    plan: IntervalPlan,
    purpose: str,
    floor: Floor,
    unit_and_range: tuple[str, float, float],
) -> tuple[Estimate, ...]:
    if n < _FEWEST_SAMPLES:
        return ()
    return resampled_estimates(
        statistic,
        np.ones(n, dtype=np.int64),
        plan=plan,
        purpose=purpose,
        floor=floor,
        unit_and_range=unit_and_range,
    )


def _power_mean_statistic(distances: NDArray[np.float64], power: int) -> Statistic:
    losses = distances**power

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((weights @ losses / weights.sum(axis=1)) ** (1.0 / power))

    return statistic


def _r_squared(samples: Values) -> Statistic:
    squares = samples.errors**2
    centered = samples.labels - samples.labels.mean()

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        total = weights @ centered**2 - (weights @ centered) ** 2 / weights.sum(axis=1)
        varied = total > 1e-12 * len(centered) * max(float(np.max(centered**2)), 1e-300)
        undefined = np.full(len(weights), np.nan)
        return np.asarray(1.0 - np.divide(weights @ squares, total, out=undefined, where=varied))

    return statistic


def _log_student(losses: NDArray[np.float64], power: int) -> Floor:
    """Student's interval on a logarithmic scale: errors are positive and skewed to the right.

    Source: Bonett, Comput. Stat. Data Anal. 50 (2006) 775-782, for the factor of squares.
    """
    n, mean = len(losses), float(losses.mean())
    value = math.pow(mean, 1 / power)
    relative = float(losses.std(ddof=1)) / (math.sqrt(n) * power * mean) if mean > 0 else 0.0

    def arm(level: float) -> float:
        z = normal_quantile((1 + level) / 2)
        factor = n / (n - z) if power > 1 and n > z + 1 else 1.0
        return student_t_quantile((1 + level) / 2, n - 1) * relative * factor

    def above(level: float) -> float:
        return value * math.expm1(arm(level))

    def below(level: float) -> float:
        return -value * math.expm1(-arm(level))

    return Floor(below, above, "student-log")


def _unseen_change(before: NDArray[np.float64], after: NDArray[np.float64], power: int) -> Floor:
    """Change when an unseen share of samples changes as much as the one that changed most."""
    most = float(np.max(np.abs(after - before)))
    mean = float(min(before.mean(), after.mean()))

    def arm(level: float) -> float:
        unseen = unseen_share(len(before), confidence=level)
        return math.pow(mean + unseen * most, 1 / power) - math.pow(mean, 1 / power)

    return Floor(arm, arm, "unseen-error")


def _unseen_share_of_variance(losses: NDArray[np.float64], labels: NDArray[np.float64]) -> Floor:
    """The same for the share of variance that is explained."""
    total = float(np.mean((labels - labels.mean()) ** 2))
    most = float(np.max(np.abs(losses - losses.mean())))

    def arm(level: float) -> float:
        unseen = unseen_share(len(losses), confidence=level)
        return unseen * most / total if total > 0 else 0.0

    return Floor(arm, arm, "unseen-error")
