"""How far a regressor's answers are from the truth, and from the original's answers.

Rules:

1. Errors have bootstrap intervals that are at least as wide as Student's on a logarithmic scale,
   which hold for few and skewed errors too; their squares, a studentized bootstrap on that scale.
2. What is left of the variance has a jackknifed interval on that scale.
3. The arms of a drop are at least what an unseen kind of sample would do if it changed as much as
   the one that changed most. Answers that are equal bit for bit have a drop of exactly 0.
4. A single sample has no interval and gives no figure.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, log_student, resampled_estimates
from edgeworthy.evaluation.samples import Values
from edgeworthy.statistics.distributions import student_t_quantile
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife
from edgeworthy.statistics.replicates import clipped, unseen_share
from edgeworthy.statistics.resampling import Statistic
from edgeworthy.statistics.skewed import bonett_factor, root_mean_square

_FEWEST_SAMPLES = 2
# Samples are left out one by one up to so many, then in groups.
_MOST_BLOCKS = 400
# Rounding leaves more of a perfect regressor's variance.
_SMALLEST_SHARE = 1e-30
_LARGEST_ARM = 500.0


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
        return _mean(np.abs(subject.errors), self.definition.name, plan)

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
        source="Hyndman and Koehler, Int. J. Forecast. 22 (2006); interval: Hall 1988",
    )

    def estimates(
        self,
        subject: Values,
        original: Values,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The error with an interval for skewed squares."""
        if len(subject) < _FEWEST_SAMPLES:
            return ()
        seed = plan.seed_of(self.definition.name)
        return tuple(
            root_mean_square(subject.errors, confidence=level, seed=seed, resamples=plan.resamples)
            for level in plan.confidences
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
        return _mean(distances, self.definition.name, plan)


class RSquared(Metric[Values]):
    """Share of the labels' variance that the answers explain; undefined for constant labels."""

    definition = MetricDefinition(
        name="r_squared",
        unit="ratio",
        higher_is_better=True,
        title="Coefficient of determination",
        source="1 - residual / total sum of squares; interval: jackknife, logarithm of the rest",
    )

    def estimates(
        self,
        subject: Values,
        original: Values,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """R squared with a jackknifed interval."""
        n = len(subject)
        if n < _FEWEST_SAMPLES or np.ptp(subject.labels) == 0.0:
            return ()
        left = _share_left(subject)
        seed = plan.seed_of(self.definition.name)
        found = block_jackknife(left, np.ones(n, dtype=np.int64), seed=seed, blocks=_MOST_BLOCKS)
        if not math.isfinite(found.value):
            return ()
        floor = _unseen_share_of_variance(subject.errors**2, subject.labels)
        return tuple(
            clipped(floor.applied(_explained(found, level)), smallest=-math.inf, largest=1.0)
            for level in plan.confidences
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


def _mean(distances: NDArray[np.float64], purpose: str, plan: IntervalPlan) -> tuple[Estimate, ...]:
    if len(distances) < _FEWEST_SAMPLES:
        return ()
    statistic = _power_mean_statistic(distances, 1)
    floor = log_student(distances)
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


def _share_left(samples: Values) -> Statistic:
    """Logarithm of the share of the labels' variance that is not explained."""
    explained = _r_squared(samples)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.log(np.maximum(1.0 - explained(weights), _SMALLEST_SHARE)))

    return statistic


def _explained(found: Jackknifed, confidence: float) -> Estimate:
    """R squared from what is left, whose upper arm is longer as that of squares is."""
    arm = student_t_quantile((1 + confidence) / 2, found.blocks - 1) * found.error
    longer = min(arm * bonett_factor(found.n, confidence=confidence), _LARGEST_ARM)
    value = 1.0 - math.exp(found.value)
    return Estimate(
        value=value,
        low=min(1.0 - math.exp(found.value + longer), value),
        high=max(1.0 - math.exp(found.value - arm), value),
        confidence=confidence,
        n=found.n,
        method="jackknife-log",
        unit="ratio",
    )


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
