"""What a metric is: a name, a direction, a value with an interval, and a paired drop.

Rules:

1. One estimate per confidence that was asked for, or none at all where the metric has no meaning
   (one class only, say): an undefined figure is absent, not zero.
2. A drop is how much worse than the original on the same samples; positive is worse whatever the
   metric's direction. Metrics that compare with the original already have none.
3. Every bootstrap has a seed of its own, made from the run's seed, the metric and the slice: a
   figure does not change when another metric or slice is added.
"""

from __future__ import annotations

import abc
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.evaluation.samples import Samples

SamplesT = TypeVar("SamplesT", bound=Samples)


@dataclass(frozen=True)
class MetricDefinition:
    """What a metric's name stands for.

    Attributes:
        name: As in ``[[require]]``.
        unit: ``ratio``, or ``label`` for the unit of the label.
        higher_is_better: Direction; None when neither end is better.
        title: For people.
        source: Paper or document that defines it.
        needs_original: Compares with the original, so the original itself has none.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    title: str
    source: str
    needs_original: bool = False


@dataclass(frozen=True)
class IntervalPlan:
    """How intervals are made.

    Attributes:
        confidences: One interval for each.
        seed: Seed of the run.
        resamples: Of the bootstrap.
        slice_name: ``column=value``, or empty for all samples.
    """

    confidences: tuple[float, ...]
    seed: int
    resamples: int
    slice_name: str = ""

    def seed_of(self, purpose: str) -> tuple[int, int]:
        """Seed of one bootstrap (rule 3)."""
        return self.seed, zlib.crc32(f"{purpose}|{self.slice_name}".encode())


class ExaminedMetric:
    """A figure that an examination gives, under a name that a requirement can ask for."""

    definition: ClassVar[MetricDefinition]


class Metric(abc.ABC, Generic[SamplesT]):
    """A figure of judged samples."""

    definition: ClassVar[MetricDefinition]

    @abc.abstractmethod
    def estimates(
        self, subject: SamplesT, original: SamplesT, plan: IntervalPlan
    ) -> Sequence[Estimate]:
        """The metric with one interval per confidence; empty where it is undefined."""

    def drops(
        self,
        subject: SamplesT,  # noqa: ARG002 - for metrics that have a drop
        original: SamplesT,  # noqa: ARG002 - the same
        plan: IntervalPlan,  # noqa: ARG002 - the same
    ) -> Sequence[Estimate]:
        """The paired drop with one interval per confidence; empty where it is undefined."""
        return ()

    def values(
        self, subject: SamplesT, original: SamplesT | None, plan: IntervalPlan
    ) -> tuple[MetricValue, ...]:
        """The metric as records, and the promises of this module checked.

        Args:
            subject: The artefact's samples.
            original: The original's, in the same order; None for the original itself.
            plan: How intervals are made.
        """
        if original is None and self.definition.needs_original:
            return ()
        reference = subject if original is None else original
        found = self.estimates(subject, reference, plan)
        drops = () if original is None else self.drops(subject, original, plan)
        for some in (found, drops):
            self._check(some, plan)
        paired: Sequence[Estimate | None] = drops or [None] * len(found)
        return tuple(
            MetricValue(
                metric=self.definition.name,
                slice=plan.slice_name,
                estimate=estimate,
                drop=drop,
            )
            for estimate, drop in zip(found, paired, strict=bool(found))
        )

    def _check(self, estimates: Sequence[Estimate], plan: IntervalPlan) -> None:
        if not estimates:
            return
        confidences = tuple(estimate.confidence for estimate in estimates)
        finite = all(math.isfinite(e.low) and math.isfinite(e.high) for e in estimates)
        units = {estimate.unit for estimate in estimates}
        if confidences != plan.confidences or not finite or units != {self.definition.unit}:
            message = f"metric {self.definition.name} broke its contract: {estimates}"
            raise AssertionError(message)
