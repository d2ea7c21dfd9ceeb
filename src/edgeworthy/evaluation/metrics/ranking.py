"""How well anomaly scores separate anomalous from normal samples, whatever the threshold.

All three are undefined, and left out, where only one kind of sample occurs.
"""

from __future__ import annotations

import abc
import dataclasses

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, resampled_estimates, rule_of_three
from edgeworthy.evaluation.samples import Scores
from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife
from edgeworthy.statistics.ranking import paired_area_difference, roc_area
from edgeworthy.statistics.replicates import (
    adjusted_level,
    clipped,
    unseen_share,
    widened,
    with_undrawn_loss,
)
from edgeworthy.statistics.resampling import Statistic

_LARGEST_FALSE_ALARM_RATIO = 0.1
_FEWEST_FALSE_ALARMS = 2
# Samples are left out one by one up to so many, then in groups.
_BLOCKS = 200
# Scores that rank little better than chance can still lose as much as these.
_LEAST_LOST = 0.25
# Of what a kind may lose that was not drawn, the part that one may gain.
_GAINED = 0.1


class Auroc(Metric[Scores]):
    """Area under the ROC curve: how often an anomalous sample scores above a normal one."""

    definition = MetricDefinition(
        name="auroc",
        unit="ratio",
        higher_is_better=True,
        title="Area under the ROC curve",
        source="Hanley and McNeil 1982; interval: Newcombe 2006; drop: DeLong et al. 1988",
    )

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Area with Newcombe's interval."""
        if not subject.has_both_kinds:
            return ()
        return tuple(
            roc_area(subject.scores, subject.anomalous, confidence=level)
            for level in plan.confidences
        )

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's area minus the subject's."""
        if not subject.has_both_kinds:
            return ()
        return tuple(
            paired_area_difference(
                original.scores, subject.scores, subject.anomalous, confidence=level
            )
            for level in plan.confidences
        )


class _Resampled(Metric[Scores]):
    """A figure of the ranking that has no formula for its interval."""

    @abc.abstractmethod
    def statistic(self, samples: Scores) -> Statistic:
        """The figure as a function of the samples' weights."""

    @abc.abstractmethod
    def chance(self, samples: Scores) -> float:
        """The figure of scores that say nothing."""

    @abc.abstractmethod
    def scarce_count(self, samples: Scores) -> int:
        """Samples of the kind that the figure has fewest of."""

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The figure with a bootstrap interval."""
        if self.scarce_count(subject) < 1:
            return ()
        return resampled_estimates(
            self.statistic(subject),
            np.ones(len(subject), dtype=np.int64),
            plan=plan,
            purpose=self.definition.name,
            floor=self._floor(subject),
            unit_and_range=("ratio", 0.0, 1.0),
        )

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's figure minus the subject's, samples left out of both at once."""
        if self.scarce_count(subject) < 1:
            return ()
        before, after = self.statistic(original), self.statistic(subject)
        spread = block_jackknife(
            lambda weights: before(weights) - after(weights),
            np.ones(len(subject), dtype=np.int64),
            seed=plan.seed_of(f"{self.definition.name} drop"),
            blocks=_BLOCKS,
        )
        ones = np.ones((1, len(subject)))
        best = max(float(before(ones)[0]), float(after(ones)[0]))
        rare = min(int(subject.anomalous.sum()), int((~subject.anomalous).sum()))
        return tuple(
            _drop(spread, level, lost=max(best - self.chance(subject), _LEAST_LOST), rare=rare)
            for level in plan.confidences
        )

    def _floor(self, samples: Scores) -> Floor:
        scarce = self.scarce_count(samples)
        return dataclasses.replace(rule_of_three(scarce), only_for_points=True, scarce_n=scarce)


class AveragePrecision(_Resampled):
    """Mean precision over the thresholds, weighted by the recall that each one adds."""

    definition = MetricDefinition(
        name="average_precision",
        unit="ratio",
        higher_is_better=True,
        title="Average precision",
        source="area under the precision-recall curve without interpolation; interval: Efron 1987",
    )

    def statistic(self, samples: Scores) -> Statistic:
        """Average precision."""
        return _average_precision(samples)

    def chance(self, samples: Scores) -> float:
        """Share of anomalous samples."""
        return float(samples.anomalous.mean())

    def scarce_count(self, samples: Scores) -> int:
        """The rarer of anomalous and normal samples."""
        anomalous = int(samples.anomalous.sum())
        return min(anomalous, len(samples) - anomalous)


class PartialAuroc(_Resampled):
    """Area under the ROC curve up to a false alarm ratio of 0.1, scaled so that chance is 0.5.

    Only a tenth of the normal samples counts; left out where that is not even two.
    """

    definition = MetricDefinition(
        name="partial_auroc",
        unit="ratio",
        higher_is_better=True,
        title="Area under the ROC curve up to 10 % false alarms",
        source="McClish, Med. Decis. Making 9 (1989) 190-195; interval: Efron 1987 (BCa)",
    )

    def statistic(self, samples: Scores) -> Statistic:
        """Partial area."""
        return _partial_area(samples)

    def chance(self, samples: Scores) -> float:  # noqa: ARG002 - the same for all
        """One half."""
        return 0.5

    def scarce_count(self, samples: Scores) -> int:
        """Anomalous samples, or normal ones below the false alarm ratio."""
        anomalous = int(samples.anomalous.sum())
        counted = int((len(samples) - anomalous) * _LARGEST_FALSE_ALARM_RATIO)
        return min(anomalous, counted) if counted >= _FEWEST_FALSE_ALARMS else 0


def _drop(spread: Jackknifed, confidence: float, *, lost: float, rare: int) -> Estimate:
    """Interval of a drop: its high end holds a kind of ``rare`` samples that was not drawn."""
    level = adjusted_level(confidence)
    unseen = unseen_share(rare, confidence=level) * lost
    found = msgspec.structs.replace(
        spread.interval(confidence=level, unit="ratio"), confidence=confidence
    )
    wide = widened(found, below=unseen * _GAINED, above=0.0, floor="unseen-gain")
    return clipped(with_undrawn_loss(wide, loss=unseen), smallest=-1.0, largest=1.0)


class _Thresholds:
    """Weights of both kinds at and above each distinct score, from the highest down."""

    def __init__(self, samples: Scores) -> None:
        self._order = np.argsort(-samples.scores, kind="stable")
        falling = samples.scores[self._order]
        self._last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
        self._anomalous = samples.anomalous[self._order]

    def with_hits(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(r, n)`` -> anomalous and all weights that raise the alarm.

        Only at thresholds that an anomalous sample just reaches; elsewhere nothing is gained.
        """
        ordered = weights[:, self._order]
        reached = np.cumsum(self._anomalous)[self._last]
        gaining = np.diff(reached, prepend=0) > 0
        hits = np.cumsum(ordered[:, self._anomalous], axis=1)[:, reached[gaining] - 1]
        return hits, np.cumsum(ordered, axis=1)[:, self._last[gaining]]

    def up_to(
        self, weights: NDArray[np.float64], false_alarm_ratio: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(r, n)`` -> false alarm ratio and recall, as far as any row stays below the ratio."""
        ordered = weights[:, self._order]
        normal = np.cumsum(ordered * ~self._anomalous, axis=1)[:, self._last]
        limit = false_alarm_ratio * normal[:, -1:]
        needed = min(int(np.max(np.sum(normal <= limit, axis=1))) + 1, len(self._last))
        seen = self._last[needed - 1] + 1
        raised = np.cumsum(ordered[:, :seen] * self._anomalous[:seen], axis=1)
        anomalous = raised[:, self._last[:needed]]
        every = ordered[:, self._anomalous].sum(axis=1, keepdims=True)
        return _ratio(normal[:, :needed], normal[:, -1:]), _ratio(anomalous, every)


def _average_precision(samples: Scores) -> Statistic:
    thresholds = _Thresholds(samples)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        hits, alarms = thresholds.with_hits(weights)
        gained = np.diff(hits, axis=1, prepend=0.0)
        precision = np.divide(hits, alarms, out=np.zeros_like(hits), where=alarms > 0)
        return _ratio((gained * precision).sum(axis=1), hits[:, -1])

    return statistic


def _partial_area(samples: Scores) -> Statistic:
    thresholds = _Thresholds(samples)
    limit = _LARGEST_FALSE_ALARM_RATIO

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        ratio, recall = thresholds.up_to(weights, limit)
        from_ratio, step = _steps(ratio)
        from_recall, rise = _steps(recall)
        width = np.clip(limit - from_ratio, 0.0, step)
        share = np.divide(width, step, out=np.zeros_like(step), where=step > 0)
        area = (width * (from_recall + rise * share / 2)).sum(axis=1)
        chance = limit * limit / 2
        return np.asarray(0.5 * (1.0 + (area - chance) / (limit - chance)))

    return statistic


def _steps(curve: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and length of each piece of curves that begin at 0."""
    steps = np.diff(curve, axis=1, prepend=0.0)
    return curve - steps, steps


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where a resample holds one kind of sample only."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    undefined = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return undefined
