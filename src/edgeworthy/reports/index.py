"""A build record, asked by target and variant.

Rules:

1. Order is that of the decision and of the record; the original comes first.
2. A variant has the same color in every chart.
3. An artefact that several targets share and that gave the same outputs is shown once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.evaluation import Evaluation, MetricValue
from edgeworthy.documents.gate import RequirementResult, TargetDecision
from edgeworthy.documents.measurement import Measurement, Percentile
from edgeworthy.reports.theme import ORIGINAL, SERIES, Token


@dataclass(frozen=True)
class Subject:
    """An evaluation that is shown in full, and the targets that it speaks for."""

    evaluation: Evaluation
    original: Evaluation | None
    targets: tuple[str, ...]


@dataclass(frozen=True)
class BuildIndex:
    """Look-ups over a build record; it never computes a figure."""

    record: BuildRecord

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Names of targets, those that were decided on first."""
        decision = self.record.decision
        decided = [entry.target for entry in decision.targets] if decision else []
        measured = [entry.target for entry in self.record.measurements]
        evaluated = [entry.target for entry in self.record.evaluations]
        return tuple(dict.fromkeys([*decided, *measured, *evaluated]))

    @cached_property
    def _made(self) -> tuple[str, ...]:
        return tuple(variant.name for variant in self.record.variants)

    def is_original(self, variant: str) -> bool:
        """Whether the name is that of the model that the variants were made from."""
        return variant not in self._made

    def variants(self, target: str) -> tuple[str, ...]:
        """Names that were measured or evaluated for a target, the original first."""
        found = [entry.variant for entry in self.record.measurements if entry.target == target]
        found += [entry.variant for entry in self.record.evaluations if entry.target == target]
        originals = [name for name in found if self.is_original(name)]
        return tuple(dict.fromkeys([*originals, *(n for n in self._made if n in found)]))

    def chosen(self, target: str) -> TargetDecision | None:
        """What was decided for a target."""
        decisions = self.record.decision.targets if self.record.decision else ()
        return next((entry for entry in decisions if entry.target == target), None)

    def is_chosen(self, target: str, variant: str) -> bool:
        """Whether this variant was chosen for the target."""
        decided = self.chosen(target)
        return decided is not None and decided.variant == variant

    def measurement(self, target: str, variant: str) -> Measurement | None:
        """The measurement of a variant for a target."""
        entries = self.record.measurements
        return next((e for e in entries if (e.target, e.variant) == (target, variant)), None)

    def evaluation(self, target: str, variant: str) -> Evaluation | None:
        """The evaluation of a variant for a target."""
        entries = self.record.evaluations
        return next((e for e in entries if (e.target, e.variant) == (target, variant)), None)

    def original_evaluation(self, target: str) -> Evaluation | None:
        """The evaluation of the original with the target's engine."""
        entries = self.record.evaluations
        mine = (e for e in entries if e.target == target and self.is_original(e.variant))
        return next(mine, None)

    def original_measurement(self, target: str) -> Measurement | None:
        """The measurement of the original with the target's engine."""
        entries = self.record.measurements
        mine = (e for e in entries if e.target == target and self.is_original(e.variant))
        return next(mine, None)

    def color(self, variant: str) -> Token:
        """The color of a variant in every chart."""
        if self.is_original(variant):
            return ORIGINAL
        return SERIES[self._made.index(variant) % len(SERIES)]

    @cached_property
    def metric(self) -> str:
        """The metric that stands for quality: the first that is required and was evaluated."""
        present = [m.metric for e in self.record.evaluations for m in e.metrics if not m.slice]
        required = [r.metric for r in self.record.project.require]
        wanted = [name for name in [*required, "accuracy"] if name in present]
        return next(iter([*wanted, *present]), "")

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """Evaluations worth showing in full: of the chosen variants, or of all when none is."""
        found: dict[tuple[str, str], list[Evaluation]] = {}
        for entry in self.record.evaluations:
            decided = self.chosen(entry.target)
            wanted = decided.variant == entry.variant if decided else True
            if wanted and not self.is_original(entry.variant):
                found.setdefault((entry.artifact, entry.outputs_digest), []).append(entry)
        return tuple(
            Subject(
                evaluation=entries[0],
                original=self.original_evaluation(entries[0].target),
                targets=tuple(dict.fromkeys(entry.target for entry in entries)),
            )
            for entries in found.values()
        )

    def results(self, target: str, variant: str) -> tuple[RequirementResult, ...]:
        """The gate's results for one variant on one target."""
        results = self.record.decision.results if self.record.decision else ()
        return tuple(r for r in results if (r.target, r.variant) == (target, variant))


def metric_value(evaluation: Evaluation | None, metric: str, slice_: str) -> MetricValue | None:
    """A metric of an evaluation, on all samples when ``slice_`` is empty."""
    metrics = evaluation.metrics if evaluation else ()
    return next((m for m in metrics if (m.metric, m.slice) == (metric, slice_)), None)


def percentile(measurement: Measurement | None, percent: float) -> Percentile | None:
    """A latency percentile of a measurement."""
    percentiles = measurement.percentiles if measurement else ()
    return next((p for p in percentiles if p.percent == percent), None)
