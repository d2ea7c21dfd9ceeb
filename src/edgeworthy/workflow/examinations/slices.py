"""Slices that nobody declared.

Rules:

1. Properties of the inputs are read once for all artefacts, in a step of their own.
2. A profile decides how many columns may meet and how often losses are dealt out anew; both depend
   on the number of samples and columns, never on the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from edgeworthy.documents.evaluation import Evaluation, Finding, FoundSlice, MetricValue
from edgeworthy.documents.project import ExaminationName, ProfileName
from edgeworthy.documents.record import Record, canonical_json
from edgeworthy.workflow.examinations.base import Case, Examination, Unit
from edgeworthy.workflow.examinations.profiles import Allotment
from edgeworthy.workflow.stages.inference import load_predictions
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import tool_version

#: Columns that meet, and deals of the losses.
_EFFORT: dict[ProfileName, tuple[int, int]] = {
    "quick": (2, 399),
    "standard": (2, 1999),
    "thorough": (3, 1999),
}
_BATCH_SIZE = 256
# Samples times columns that meet times deals, per second.
_RATE = 5e7
_READ_S_PER_SAMPLE = 1e-4
_COLUMNS_GUESSED = 8


class _Found(Record, frozen=True, kw_only=True):
    """What a unit makes."""

    slices: tuple[FoundSlice, ...]
    metrics: tuple[MetricValue, ...]
    findings: tuple[Finding, ...]


class SlicesExamination(Examination):
    """The search for weak and hurt slices."""

    name: ClassVar[ExaminationName] = "slices"
    weight: ClassVar[float] = 1.0

    def units(self, case: Case, allotment: Allotment) -> Sequence[Unit]:
        """One unit: properties of the samples, and the search."""
        depth, deals = _EFFORT[allotment.profile]
        total = len_of(case)
        step = Step(
            name=f"slices/{case.key}",
            title=f"Searching for slices in which {case.subject.name} is worse",
            inputs={
                "artefact": case.subject.artifact,
                "predictions": case.judgment.predictions,
                "original's predictions": case.judgment.reference,
                "samples": case.judgment.samples.digest,
                "labels": canonical_json(case.workspace.project.model.labels).decode(),
                "effort": f"{depth} columns, {deals} deals",
                "settings": canonical_json(
                    [
                        case.settings.task,
                        case.settings.scores,
                        case.settings.label_count,
                        case.settings.confidences,
                        case.settings.seed,
                    ]
                ).decode(),
                "tools": tool_version("numpy"),
            },
            run=lambda: StepResult({"found": canonical_json(_found(case, depth, deals))}),
        )
        meetings = _COLUMNS_GUESSED**depth / depth
        cost_s = total * (_READ_S_PER_SAMPLE + meetings * deals / _RATE)
        return (Unit(step, cost_s),)

    def joined(
        self, case: Case, evaluation: Evaluation, results: Sequence[Mapping[str, str]]
    ) -> Evaluation:
        """Slices, figures and sentences."""
        found = msgspec.json.decode(case.workspace.cache.get(results[0]["found"]), type=_Found)
        return msgspec.structs.replace(
            evaluation,
            found_slices=found.slices,
            metrics=(*evaluation.metrics, *found.metrics),
            findings=(*evaluation.findings, *found.findings),
        )


def len_of(case: Case) -> int:
    """Number of samples that are judged."""
    return case.judgment.samples.summary.reference.sample_count


def _found(case: Case, depth: int, deals: int) -> _Found:
    from edgeworthy.evaluation import SearchPlan, examine_slices

    judged, settings = case.judgment, case.settings
    plan = SearchPlan(depth=depth, deals=deals, seed=settings.seed)
    said = load_predictions(case.workspace, judged.predictions)
    reference = load_predictions(case.workspace, judged.reference)
    found = examine_slices(
        said,
        reference,
        settings,
        plan,
        properties=_properties(case),
        class_names=case.workspace.project.model.labels,
    )
    return _Found(slices=found.slices, metrics=found.metrics, findings=found.findings)


def _properties(case: Case) -> dict[str, tuple[float, ...]]:
    """Properties of every judged sample, from the cache or read now."""
    samples = case.judgment.samples
    workspace = case.workspace
    layouts = {name: each.layout for name, each in case.reading.inputs.items()}

    def run() -> StepResult:
        from edgeworthy.evaluation import input_properties

        opened = samples.open()
        found = input_properties(
            (batch.inputs for batch in opened.batches(_BATCH_SIZE)),
            axes={
                name: opened.axes or layouts.get(name, "")[1:]
                for name in [*layouts, *([] if layouts else [""])]
            },
        )
        return StepResult({"properties": canonical_json(found)})

    outputs = workspace.runner.run(
        Step(
            name=f"properties/{samples.name}",
            title=f"Reading properties of the {samples.name} samples",
            inputs={
                "samples": samples.digest,
                "layouts": canonical_json(layouts).decode(),
                "tools": tool_version("numpy"),
            },
            run=run,
        )
    )
    return msgspec.json.decode(
        workspace.cache.get(outputs["properties"]), type=dict[str, tuple[float, ...]]
    )
