"""From found groups of samples to slices with figures, and sentences.

Rules:

1. A weak slice is one in which the artefact errs more than in the rest; a hurt slice is one in
   which it lost more against the original than in the rest.
2. The chance to report any weak slice where there is none is at most 2.5 %, and so is that of any
   hurt one.
3. Intervals hold for all slices that were looked at together (Bonferroni): a slice that was chosen
   for its figure does not flatter or slander itself with it.
4. Answers that are right or wrong are searched as they are; errors of any size by their ranks, so
   that one wild sample makes no slice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.evaluation import Finding, FoundSlice, FoundSliceKind, MetricValue
from edgeworthy.evaluation.metrics.found import (
    HurtSliceCount,
    HurtSliceDrop,
    WeakSliceAccuracy,
    WeakSliceCount,
)
from edgeworthy.evaluation.metrics.shares import agreement_table
from edgeworthy.evaluation.samples import Losses
from edgeworthy.evaluation.slices.columns import Column
from edgeworthy.evaluation.slices.search import FoundGroup, SearchPlan, search
from edgeworthy.statistics.distributions import student_t_quantile
from edgeworthy.statistics.proportions import paired_difference
from edgeworthy.statistics.shares import share_interval

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class FoundSlices:
    """What the search says.

    Attributes:
        slices: The worst first, weak ones before hurt ones.
        metrics: What a requirement can ask for.
        findings: Sentences.
    """

    slices: tuple[FoundSlice, ...]
    metrics: tuple[MetricValue, ...]
    findings: tuple[Finding, ...]


def find_slices(
    subject: Losses,
    original: Losses | None,
    columns: Sequence[Column],
    plan: SearchPlan,
    confidences: Sequence[float] = (_CONFIDENCE,),
) -> FoundSlices:
    """Search for weak and hurt slices.

    Args:
        subject: The artefact's loss of every sample.
        original: The original's; None for the original itself.
        columns: Where to look.
        plan: How far.
        confidences: Of the metrics.
    """
    weak = _Side("weak", subject, None, search(_searched(subject.values), columns, plan))
    sides = [weak]
    if original is not None:
        lost = subject.values - original.values
        sides.append(_Side("hurt", subject, original, search(_searched(lost), columns, plan)))
    slices = tuple(found for side in sides for found in side.slices(_CONFIDENCE))
    return FoundSlices(
        slices=slices,
        metrics=tuple(
            value for side in sides for level in confidences for value in side.metrics(level)
        ),
        findings=tuple(_finding(each, subject.title) for each in slices),
    )


def _searched(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Losses as they are when they are whole numbers, else their ranks from 0 to 1 (rule 4)."""
    if np.array_equal(losses, np.round(losses)) and np.ptp(losses) <= 2:  # noqa: PLR2004 - -1, 0, 1
        return losses
    _, groups, counts = np.unique(losses, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middle[groups.reshape(-1)] / max(1, len(losses) - 1))


@dataclass(frozen=True, eq=False)
class _Side:
    """Slices of one kind."""

    kind: FoundSliceKind
    subject: Losses
    original: Losses | None
    groups: tuple[FoundGroup, ...]

    def slices(self, confidence: float) -> list[FoundSlice]:
        """The slices with their figures."""
        everything = np.arange(len(self.subject.values))
        return [
            FoundSlice(
                kind=self.kind,
                slice=" and ".join(group.literals),
                sample_count=len(group.indices),
                figure=self._figure(group.indices, confidence, group.looked_at),
                rest=self._figure(
                    np.setdiff1d(everything, group.indices), confidence, group.looked_at
                ),
                adjusted_p_value=group.p_value,
                looked_at=group.looked_at,
            )
            for group in self.groups
        ]

    def metrics(self, confidence: float) -> list[MetricValue]:
        """The number of slices, and the figure of the worst."""
        count, figure = (
            (WeakSliceCount, WeakSliceAccuracy)
            if self.kind == "weak"
            else (HurtSliceCount, HurtSliceDrop)
        )
        found = self.slices(confidence)
        number = exact(len(found), unit="count", method="permutation")
        values = [MetricValue(metric=count.definition.name, slice="", estimate=number)]
        if self.subject.right_or_wrong:
            whole = self._figure(np.arange(len(self.subject.values)), confidence, 1)
            worst = min(
                (each.figure for each in found),
                key=lambda each: each.value if self.kind == "weak" else -each.value,
                default=whole,
            )
            values.append(MetricValue(metric=figure.definition.name, slice="", estimate=worst))
        return values

    def _figure(self, indices: NDArray[np.int64], confidence: float, looked_at: int) -> Estimate:
        level = 1 - (1 - confidence) / max(1, looked_at)
        after = self.subject.values[indices]
        before = self.original.values[indices] if self.original is not None else None
        if self.subject.right_or_wrong and before is None:
            made = share_interval(int(np.count_nonzero(after == 0)), len(after), confidence=level)
        elif self.subject.right_or_wrong and before is not None:
            table = agreement_table(before == 0, after == 0)
            made = paired_difference(*table, confidence=level)
        else:
            losses = after if before is None else after - before
            made = _student(losses, level, self.subject.unit)
        return Estimate(
            value=made.value,
            low=made.low,
            high=made.high,
            confidence=confidence,
            n=made.n,
            method=f"{made.method}+bonferroni",
            unit=made.unit,
        )


def _student(losses: NDArray[np.float64], level: float, unit: str) -> Estimate:
    n, mean = len(losses), float(losses.mean())
    arm = student_t_quantile((1 + level) / 2, n - 1) * float(losses.std(ddof=1)) / math.sqrt(n)
    return Estimate(
        value=mean,
        low=mean - arm,
        high=mean + arm,
        confidence=level,
        n=n,
        method="student",
        unit=unit,
    )


def _finding(found: FoundSlice, title: str) -> Finding:
    where = f"Where {found.slice} ({found.sample_count} samples)"
    ratio = found.figure.unit == "ratio"
    values = (found.figure.value, found.rest.value)
    inside, outside = (f"{abs(each):.1%}" if ratio else f"{abs(each):.4g}" for each in values)
    if found.kind == "weak":
        said = f"{title} is {inside}, elsewhere {outside}."
    else:
        worse, other = ("worse" if each >= 0 else "better" for each in values)
        said = f"{title} is {inside} {worse} than the original's, elsewhere {outside} {other}."
    return Finding(
        kind="weak-slice" if found.kind == "weak" else "hurt-slice",
        slice=found.slice,
        sentence=f"{where}, {said}",
        estimate=found.figure,
        adjusted_p_value=found.adjusted_p_value,
    )
