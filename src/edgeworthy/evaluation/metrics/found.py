"""Figures of slices that were searched for; the examination ``slices`` gives them.

Rules:

1. A count is exact: how many slices the search found at its level, no more and no less.
2. A figure is that of the worst slice that was found, with an interval that holds for all slices
   that were looked at; where none was found, that of all samples.
"""

from __future__ import annotations

from edgeworthy.evaluation.metrics.base import ExaminedMetric, MetricDefinition

_SOURCE = "Westfall and Young 1993: permutation test over all slices together"


class WeakSliceCount(ExaminedMetric):
    """Slices, searched for, in which the artefact errs more than in the rest."""

    definition = MetricDefinition(
        name="weak_slice_count",
        unit="count",
        higher_is_better=False,
        title="Weak slices found",
        source=_SOURCE,
    )


class WeakSliceAccuracy(ExaminedMetric):
    """Accuracy in the worst of the weak slices; on all samples where none was found."""

    definition = MetricDefinition(
        name="weak_slice_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Accuracy in the worst slice that was found",
        source=f"{_SOURCE}; interval: Blaker 2000, Bonferroni",
    )


class HurtSliceCount(ExaminedMetric):
    """Slices, searched for, in which more was lost against the original than in the rest."""

    definition = MetricDefinition(
        name="hurt_slice_count",
        unit="count",
        higher_is_better=False,
        title="Hurt slices found",
        source=_SOURCE,
        needs_original=True,
    )


class HurtSliceDrop(ExaminedMetric):
    """Accuracy lost in the slice found that lost most; on all samples where none was found."""

    definition = MetricDefinition(
        name="hurt_slice_drop",
        unit="ratio",
        higher_is_better=False,
        title="Accuracy lost in the slice found that lost most",
        source=f"{_SOURCE}; interval: Tango 1998, Bonferroni",
        needs_original=True,
    )
