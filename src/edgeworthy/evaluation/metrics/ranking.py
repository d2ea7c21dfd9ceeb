"""How well anomaly scores separate anomalous from normal samples, whatever the threshold.

All three are undefined, and left out, where only one kind of sample occurs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, resampled_estimates
from edgeworthy.evaluation.samples import Scores
from edgeworthy.statistics.ranking import paired_area_difference, roc_area
from edgeworthy.statistics.replicates import unseen_share
from edgeworthy.statistics.resampling import Statistic

_LARGEST_FALSE_ALARM_RATIO = 0.1


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


class AveragePrecision(Metric[Scores]):
    """Mean precision over the thresholds, weighted by the recall that each one adds."""

    definition = MetricDefinition(
        name="average_precision",
        unit="ratio",
        higher_is_better=True,
        title="Average precision",
        source="area under the precision-recall curve without interpolation; interval: Efron 1987",
    )

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Average precision with a bootstrap interval."""
        return _resampled(subject, _average_precision(subject), "average_precision", plan, 0.0)

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's average precision minus the subject's, resampled together."""
        before, after = _average_precision(original), _average_precision(subject)
        return _resampled(
            subject,
            lambda weights: before(weights) - after(weights),
            "average_precision drop",
            plan,
            -1.0,
        )


class PartialAuroc(Metric[Scores]):
    """Area under the ROC curve up to a false alarm ratio of 0.1, scaled so that chance is 0.5."""

    definition = MetricDefinition(
        name="partial_auroc",
        unit="ratio",
        higher_is_better=True,
        title="Area under the ROC curve up to 10 % false alarms",
        source="McClish, Med. Decis. Making 9 (1989) 190-195; interval: Efron 1987 (BCa)",
    )

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Partial area with a bootstrap interval."""
        return _resampled(subject, _partial_area(subject), "partial_auroc", plan, 0.0)

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's partial area minus the subject's, resampled together."""
        before, after = _partial_area(original), _partial_area(subject)
        return _resampled(
            subject,
            lambda weights: before(weights) - after(weights),
            "partial_auroc drop",
            plan,
            -1.0,
        )


def _resampled(
    samples: Scores, statistic: Statistic, purpose: str, plan: IntervalPlan, smallest: float
) -> tuple[Estimate, ...]:
    if not samples.has_both_kinds:
        return ()
    fewer = int(min(samples.anomalous.sum(), (~samples.anomalous).sum()))

    def unseen(level: float) -> float:
        return unseen_share(fewer, confidence=level)

    return resampled_estimates(
        statistic,
        np.ones(len(samples), dtype=np.int64),
        plan=plan,
        purpose=purpose,
        floor=Floor(unseen, unseen, "rule-of-three"),
        unit_and_range=("ratio", smallest, 1.0),
    )


class _Thresholds:
    """Weights of both kinds at and above each distinct score, from the highest down."""

    def __init__(self, samples: Scores) -> None:
        self._order = np.argsort(-samples.scores, kind="stable")
        falling = samples.scores[self._order]
        self._last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
        self._anomalous = samples.anomalous[self._order].astype(np.float64)

    def hits_and_alarms(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``(r, n)`` -> anomalous and all weights ``(r, thresholds)`` that raise the alarm."""
        ordered = weights[:, self._order]
        alarms = np.cumsum(ordered, axis=1)[:, self._last]
        hits = np.cumsum(ordered * self._anomalous, axis=1)[:, self._last]
        return hits, alarms


def _average_precision(samples: Scores) -> Statistic:
    thresholds = _Thresholds(samples)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        hits, alarms = thresholds.hits_and_alarms(weights)
        gained = np.diff(hits, axis=1, prepend=0.0)
        precision = np.divide(hits, alarms, out=np.zeros_like(hits), where=alarms > 0)
        return _ratio((gained * precision).sum(axis=1), hits[:, -1])

    return statistic


def _partial_area(samples: Scores) -> Statistic:
    thresholds = _Thresholds(samples)
    limit = _LARGEST_FALSE_ALARM_RATIO

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        hits, alarms = thresholds.hits_and_alarms(weights)
        false_alarms = alarms - hits
        recall = _ratio(hits, hits[:, -1:])
        ratio = _ratio(false_alarms, false_alarms[:, -1:])
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
