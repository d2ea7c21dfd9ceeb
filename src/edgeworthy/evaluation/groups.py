"""Figures that compare the slices of a column with each other: the worst one, and disparities.

Rules:

1. One figure per slice column, named ``column=*``, and one over all columns.
2. Slices with fewer than 30 samples are left out: they would decide every worst case by chance.
   They can still be required by name, and they show as wide intervals in the table. Where fewer
   than are needed remain, there is no figure.
3. Disparities are those of Fairlearn for two classes; for more, each class in turn is the positive
   one, and the largest difference counts.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import ClassVar, Generic

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.evaluation.metrics.base import MetricDefinition, SamplesT
from edgeworthy.evaluation.metrics.shares import agreement_table
from edgeworthy.evaluation.parts import Part
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.disparity import highest_of, largest_gap, lowest_of
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.shares import share_interval

#: Slices with fewer samples are not compared.
LEAST_SLICE_SAMPLES = 30
_PAIR = 2
_BINARY = 2

Columns = Sequence[Sequence[Part]]


class GroupMetric(abc.ABC, Generic[SamplesT]):
    """A figure of several slices."""

    definition: ClassVar[MetricDefinition]

    def values(
        self,
        subject: SamplesT,
        original: SamplesT | None,
        slices: Sequence[Part],
        confidences: Sequence[float],
    ) -> Iterator[MetricValue]:
        """The figure over all columns, then per column, at each confidence.

        Args:
            subject: The artefact's samples.
            original: The original's; None for the original itself.
            slices: Every value of every slice column.
            confidences: One figure for each.
        """
        if original is None and self.definition.needs_original:
            return
        columns: dict[str, list[Part]] = {}
        for part in slices:
            kept = columns.setdefault(part.column, [])
            if len(part.indices) >= LEAST_SLICE_SAMPLES:
                kept.append(part)
        chosen = {"": tuple(columns.values())} | {
            f"{column}=*": (kept,) for column, kept in columns.items()
        }
        for name, groups in chosen.items():
            for level in confidences:
                estimate = self.estimate(subject, original, groups, level)
                if estimate is not None:
                    yield MetricValue(metric=self.definition.name, slice=name, estimate=estimate)

    @abc.abstractmethod
    def estimate(
        self, subject: SamplesT, original: SamplesT | None, columns: Columns, confidence: float
    ) -> Estimate | None:
        """The figure over the slices of some columns; None where it is undefined."""


class WorstSliceAccuracy(GroupMetric[Decisions]):
    """Accuracy of the slice that has the lowest, of those with at least 30 samples."""

    definition = MetricDefinition(
        name="worst_slice_accuracy",
        unit="ratio",
        higher_is_better=True,
        title="Accuracy of the worst slice",
        source="lowest of the slices; interval: Blaker 2000, Berger 1982, Bonferroni",
    )

    def estimate(
        self,
        subject: Decisions,
        original: Decisions | None,  # noqa: ARG002 - nothing to compare with
        columns: Columns,
        confidence: float,
    ) -> Estimate | None:
        """Lowest accuracy of any slice."""
        counts = [
            (int(np.count_nonzero(subject.right[part.indices])), len(part.indices))
            for parts in columns
            for part in parts
        ]
        if not counts:
            return None
        return lowest_of(
            len(counts),
            lambda at, level: share_interval(*counts[at], confidence=level),
            confidence=confidence,
        )


class WorstSliceDrop(GroupMetric[Decisions]):
    """Accuracy that the slice which lost most has lost, of those with at least 30 samples."""

    definition = MetricDefinition(
        name="worst_slice_drop",
        unit="ratio",
        higher_is_better=False,
        title="Accuracy lost in the slice that lost most",
        source="largest paired drop of the slices; interval: Tango 1998, Berger 1982, Bonferroni",
        needs_original=True,
    )

    def estimate(
        self,
        subject: Decisions,
        original: Decisions | None,
        columns: Columns,
        confidence: float,
    ) -> Estimate | None:
        """Largest drop of any slice."""
        parts = [part for some in columns for part in some]
        if original is None or not parts:
            return None
        tables = [
            agreement_table(original.right[part.indices], subject.right[part.indices])
            for part in parts
        ]
        return highest_of(
            len(tables),
            lambda at, level: paired_difference(*tables[at], confidence=level),
            confidence=confidence,
        )


class _Disparity(GroupMetric[Decisions]):
    """A difference between the groups of a column."""

    @abc.abstractmethod
    def kinds(self, subject: Decisions) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Per share: which samples count, and which of them have the property."""

    def estimate(
        self,
        subject: Decisions,
        original: Decisions | None,  # noqa: ARG002 - nothing to compare with
        columns: Columns,
        confidence: float,
    ) -> Estimate | None:
        """Largest difference between two groups of one column."""
        successes, totals = [], []
        for counted, hit in self.kinds(subject):
            for parts in columns:
                cells = np.array(
                    [
                        (
                            np.count_nonzero(counted[part.indices]),
                            np.count_nonzero((counted & hit)[part.indices]),
                        )
                        for part in parts
                    ],
                    dtype=np.int64,
                ).reshape(-1, 2)
                cells = cells[cells[:, 0] >= LEAST_SLICE_SAMPLES]
                if len(cells) >= _PAIR:
                    totals.append(cells[:, 0])
                    successes.append(cells[:, 1])
        if not totals:
            return None
        return largest_gap(successes, totals, confidence=confidence)


class DemographicParityDifference(_Disparity):
    """Largest difference between two groups in how often a class is predicted."""

    definition = MetricDefinition(
        name="demographic_parity_difference",
        unit="ratio",
        higher_is_better=False,
        title="Demographic parity difference",
        source="Agarwal et al., ICML 2018 (as in Fairlearn); interval: Newcombe 1998, Bonferroni",
    )

    def kinds(self, subject: Decisions) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Each class predicted, among all samples."""
        everyone = np.ones(len(subject), dtype=np.bool_)
        for positive in _positives(subject):
            yield everyone, np.asarray(subject.predicted == positive)


class EqualizedOddsDifference(_Disparity):
    """Largest difference between two groups in recall or in false alarms of a class."""

    definition = MetricDefinition(
        name="equalized_odds_difference",
        unit="ratio",
        higher_is_better=False,
        title="Equalized odds difference",
        source="Agarwal et al., ICML 2018 (as in Fairlearn); interval: Newcombe 1998, Bonferroni",
    )

    def kinds(self, subject: Decisions) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Each class predicted, among those that are of it and those that are not."""
        for positive in _positives(subject):
            hit = np.asarray(subject.predicted == positive)
            true = np.asarray(subject.labels == positive)
            yield true, hit
            yield ~true, hit


def _positives(subject: Decisions) -> range:
    """Classes that are the positive one in turn; the second alone of two, which says all."""
    return range(1, 2) if subject.class_count == _BINARY else range(subject.class_count)
