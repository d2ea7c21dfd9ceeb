"""What an alarm at the project's threshold is worth.

Rules:

1. Samples that are neither alarm nor anomalous do not count in F1. Of the rest a share s are true
   alarms, and F1 is 2 s / (1 + s): it has the interval of that share, ends mapped.
2. A drop joins both intervals by the correlation of what single samples do to both; where nothing
   differs, an unseen kind of sample may.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import rule_of_three
from edgeworthy.evaluation.samples import Scores
from edgeworthy.statistics.pairing import correlation_of, joined_difference
from edgeworthy.statistics.replicates import clipped
from edgeworthy.statistics.shares import share_interval


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
        source="van Rijsbergen 1979; interval: Blaker 2000; drop: Zou and Donner 2008",
    )

    def estimates(
        self,
        subject: Scores,
        original: Scores,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """F1 with the interval of a share."""
        if subject.threshold is None or not subject.anomalous.any():
            return ()
        return tuple(_f1(subject, level) for level in plan.confidences)

    def drops(self, subject: Scores, original: Scores, plan: IntervalPlan) -> tuple[Estimate, ...]:
        """Original's F1 minus the subject's, on the same samples."""
        if subject.threshold is None or not subject.anomalous.any():
            return ()
        correlation = correlation_of(_influences(original), _influences(subject))
        counted = int((subject.anomalous | subject.alarms | original.alarms).sum())
        floor = dataclasses.replace(rule_of_three(counted, effect=0.5), only_for_points=True)
        found = []
        for level in plan.confidences:
            one, two = (_f1(each, level) for each in (original, subject))
            difference = joined_difference(one, two, correlation=correlation)
            found.append(clipped(floor.applied(difference), smallest=-1.0, largest=1.0))
        return tuple(found)


def _f1(samples: Scores, confidence: float) -> Estimate:
    """F1 from the interval of the share of true alarms among all that is alarm or anomalous."""
    true = int((samples.anomalous & samples.alarms).sum())
    counted = int((samples.anomalous | samples.alarms).sum())
    share = share_interval(true, counted, confidence=confidence)
    low, value, high = (2.0 * end / (1.0 + end) for end in (share.low, share.value, share.high))
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        n=len(samples),
        method=f"f1-{share.method}",
        unit="ratio",
    )


def _influences(samples: Scores) -> NDArray[np.float64]:
    """``(n,)``: what each sample does to F1, but for a factor that all share."""
    true = (samples.anomalous & samples.alarms).astype(np.float64)
    either = samples.anomalous.astype(np.float64) + samples.alarms
    return np.asarray(2.0 * true - 2.0 * true.sum() / either.sum() * either)
