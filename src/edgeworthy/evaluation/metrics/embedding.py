"""Whether what belongs together lies close together, and whether it lies where it lay.

Recall asks every sample for its nearest others. Intervals are over queries, the samples that they
are held against being what they are.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.resampled import rule_of_three
from edgeworthy.evaluation.metrics.shares import agreement_table
from edgeworthy.evaluation.samples import Embeddings
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.replicates import clipped
from edgeworthy.statistics.shares import share_interval
from edgeworthy.statistics.skewed import root_mean_square

_FEWEST_SAMPLES = 2

_SOURCE = "Jégou et al., TPAMI 33 (2011): recall at k; interval: Blaker 2000; drop: Tango 1998"


class _Recall(Metric[Embeddings]):
    """Share of queries with a sample of their label among the nearest."""

    cut: ClassVar[int]

    def estimates(
        self,
        subject: Embeddings,
        original: Embeddings,  # noqa: ARG002 - a share needs nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval; none without a query."""
        hits = self._hits(subject)
        if not len(hits):
            return ()
        return tuple(
            share_interval(int(hits.sum()), len(hits), confidence=level)
            for level in plan.confidences
        )

    def drops(
        self, subject: Embeddings, original: Embeddings, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Original's share minus the subject's, on the same queries."""
        before, after = self._hits(original), self._hits(subject)
        if not len(after):
            return ()
        table = agreement_table(before, after)
        return tuple(paired_difference(*table, confidence=level) for level in plan.confidences)

    def _hits(self, samples: Embeddings) -> NDArray[np.bool_]:
        return np.asarray(samples.rank[samples.queries] < self.cut)


class RecallAt1(_Recall):
    """Share of samples whose nearest other sample has their label."""

    cut = 1
    definition = MetricDefinition(
        name="recall_at_1",
        unit="ratio",
        higher_is_better=True,
        title="Recall at 1",
        source=_SOURCE,
    )


class RecallAt5(_Recall):
    """Share of samples with one of their label among the five nearest others."""

    cut = 5
    definition = MetricDefinition(
        name="recall_at_5",
        unit="ratio",
        higher_is_better=True,
        title="Recall at 5",
        source=_SOURCE,
    )


class CosineFidelity(Metric[Embeddings]):
    """Mean cosine between this artefact's vectors and the original's."""

    definition = MetricDefinition(
        name="cosine_fidelity",
        unit="ratio",
        higher_is_better=True,
        title="Cosine to the original's vectors",
        source="mean cosine of paired vectors; interval: Hall 1988",
        needs_original=True,
    )

    def estimates(
        self, subject: Embeddings, original: Embeddings, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Mean with an interval for skewed squares; none for vectors of other lengths.

        One less the cosine of unit vectors is half the squared distance of their ends.
        """
        if subject.vectors.shape != original.vectors.shape:
            return ()
        chords = np.linalg.norm(subject.vectors - original.vectors, axis=1)
        if len(chords) < _FEWEST_SAMPLES:
            return ()
        seed = plan.seed_of(self.definition.name)
        floor = rule_of_three(len(chords), effect=float(np.max(chords) ** 2 / 2))
        return tuple(
            clipped(
                floor.applied(
                    _cosine(
                        root_mean_square(
                            chords, confidence=level, seed=seed, resamples=plan.resamples
                        )
                    )
                ),
                smallest=-1.0,
                largest=1.0,
            )
            for level in plan.confidences
        )


def _cosine(chord: Estimate) -> Estimate:
    """Mean cosine from the root mean square of the distances between the ends of unit vectors."""
    high, value, low = (1.0 - end**2 / 2 for end in (chord.low, chord.value, chord.high))
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence=chord.confidence,
        n=chord.n,
        method=chord.method,
        unit="ratio",
    )


class NeighborAgreement(Metric[Embeddings]):
    """Share of samples whose nearest other sample is the one that the original finds."""

    definition = MetricDefinition(
        name="neighbor_agreement",
        unit="ratio",
        higher_is_better=True,
        title="Same nearest neighbor as the original",
        source="share of equal neighbors; interval: Blaker 2000",
        needs_original=True,
    )

    def estimates(
        self, subject: Embeddings, original: Embeddings, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Share with Blaker's interval."""
        equal = int(np.count_nonzero(subject.nearest == original.nearest))
        return tuple(
            share_interval(equal, len(subject), confidence=level) for level in plan.confidences
        )
