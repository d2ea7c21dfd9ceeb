"""The decision: which variants may ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.record import Document, canonical_json, encode_document
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.margins import margin_of
from edgeworthy.workflow.project_file import placed
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.release import GateQuestion


@dataclass(frozen=True)
class Taken:
    """What was found out about the artefacts.

    Attributes:
        measurements: Of every target.
        evaluations: Of every target.
        scans: Of every file.
    """

    measurements: Sequence[Measurement]
    evaluations: Sequence[Evaluation]
    scans: Sequence[ModelScan]


def check_policy(workspace: Workspace) -> None:
    """Refuse requirements and outputs that name what does not exist, before any work is done.

    Raises:
        ProjectFileError: A metric, slice, target or role of an output is unknown.
    """
    from edgeworthy.evaluation import check_outputs, metrics_of
    from edgeworthy.evaluation.corruptions import corruption_metrics, selectable_names
    from edgeworthy.release import check_requirements

    task = workspace.project.model.task
    try:
        check_outputs(workspace.project.model)
        check_requirements(
            workspace.project.require,
            metric_names=[each.name for each in metrics_of(task)] + [*corruption_metrics(task)],
            target_names=tuple(workspace.targets),
            corruption_names=selectable_names(),
        )
    except ProjectFileError as error:
        raise placed(error, workspace.project_path) from error


def gate(
    workspace: Workspace,
    original: InspectedModel,
    optimized: Optimized,
    taken: Taken,
) -> GateDecision:
    """Hold the figures against the requirements."""

    def run() -> StepResult:
        from edgeworthy.release import judge

        question = _question(workspace, original, optimized, taken)
        decision = judge(question, now=workspace.clock())
        return StepResult({"decision": encode_document(decision)})

    outputs = workspace.runner.run(
        Step(
            name="gate",
            title="Deciding",
            inputs={
                "requirements": canonical_json(workspace.project.require).decode(),
                "targets": canonical_json(workspace.targets).decode(),
                "device profiles": canonical_json(optimized.profiles).decode(),
                "[optimize]": canonical_json(workspace.project.optimize).decode(),
                "measurements": _digest(taken.measurements),
                "evaluations": _digest(taken.evaluations),
                "scans": _digest(taken.scans),
                "tools": tool_version(),
            },
            run=run,
        )
    )
    return workspace.document(outputs["decision"], GateDecision)


def _question(
    workspace: Workspace,
    original: InspectedModel,
    optimized: Optimized,
    taken: Taken,
) -> GateQuestion:
    from edgeworthy.evaluation import metrics_of
    from edgeworthy.release import Candidate, GateQuestion, GateTarget, PrimaryMetric

    primary = metrics_of(workspace.project.model.task)[0]
    return GateQuestion(
        requirements=workspace.project.require,
        targets=tuple(
            GateTarget(
                name=name,
                section=section,
                profile=optimized.profiles[name],
                margin=margin_of(workspace, name, primary.name),
            )
            for name, section in workspace.targets.items()
        ),
        candidates=tuple(
            Candidate(
                variant=name,
                artifact=each.variant.artifact,
                size_bytes=each.variant.size_bytes,
                targets=tuple(
                    target for target, names in optimized.names_by_target.items() if name in names
                ),
                replaces_float=each.variant.recipe.precision != "float32",
            )
            for name, each in optimized.variants.items()
        ),
        original=original.inspection.artifact,
        primary=PrimaryMetric(
            name=primary.name,
            higher_is_better=primary.higher_is_better is not False,
            unit=primary.unit,
            confidence=workspace.project.optimize.confidence,
        ),
        measurements=tuple(taken.measurements),
        evaluations=tuple(taken.evaluations),
        scans=tuple(taken.scans),
    )


def _digest(documents: Sequence[Document]) -> str:
    return digest_bytes(b"".join(encode_document(each) for each in documents))
