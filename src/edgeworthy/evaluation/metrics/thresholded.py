"""What an alarm at the project's threshold is worth.

The four kinds of sample (alarm or none, anomalous or normal) are what is resampled, so the cost
does not depend on the number of samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import Floor, resampled_estimates, rule_of_three
from edgeworthy.evaluation.samples import Scores
from edgeworthy.statistics.resampling import Statistic


class F1AtThreshold(Metric[Scores]):
    """Harmonic mean of precision and recall of the alarms at ``threshold`` in ``[model]``.

    An alarm is a score of at least the threshold. Left out without a threshold, or where no sample
    is anomalous.
    """

    definition = MetricDefinition(
        name="f1_at_threshold",
        unit="ratio",
        higher_is_better=True,
        title="F1 of the alarms",
        source="van Rijsbergen 1979; interval: Efron 1987 (BCa)",
    )

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """F1 with a bootstrap interval."""
        if subject.threshold is None or not subject.anomalous.any():
            return ()
        cells, counts = np.unique(
            np.stack([subject.anomalous, subject.alarms]), axis=1, return_counts=True
        )
        return resampled_estimates(
            _f1(cells[0], cells[1]),
            counts,
            plan=plan,
            purpose=self.definition.name,
            floor=_floor(subject),
            unit_and_range=("ratio", 0.0, 1.0),
        )

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's F1 minus the subject's, resampled together."""
        if subject.threshold is None or not subject.anomalous.any():
            return ()
        cells, counts = np.unique(
            np.stack([subject.anomalous, original.alarms, subject.alarms]),
            axis=1,
            return_counts=True,
        )
        before, after = _f1(cells[0], cells[1]), _f1(cells[0], cells[2])
        return resampled_estimates(
            lambda weights: before(weights) - after(weights),
            counts,
            plan=plan,
            purpose=f"{self.definition.name} drop",
            floor=_floor(subject),
            unit_and_range=("ratio", -1.0, 1.0),
        )


def _f1(anomalous: NDArray[np.bool_], alarms: NDArray[np.bool_]) -> Statistic:
    both = (anomalous & alarms).astype(np.float64)
    either = anomalous.astype(np.float64) + alarms

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        total = weights @ either
        undefined = np.full(len(weights), np.nan)
        np.divide(2.0 * (weights @ both), total, out=undefined, where=weights @ anomalous > 0)
        return undefined

    return statistic


def _floor(samples: Scores) -> Floor:
    return rule_of_three(int(samples.anomalous.sum()), effect=0.5)
