"""How good the artefacts are on each target, and what changed from the original."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.inference import Reading, load_predictions, predict_samples
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.measurement import host_of
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.stages.subjects import Subject, subjects_of
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.evaluation import EvaluationSettings


@dataclass(frozen=True)
class Judgment:
    """One artefact's predictions beside those that it is compared with.

    Attributes:
        target: The target whose engine and threads were used.
        subject: The artefact.
        original: What it is compared with; the subject itself for the original.
        predictions: Digest of the subject's predictions.
        reference: Digest of the original's.
        settings: How outputs are read.
        samples: What was predicted.
    """

    target: str
    subject: Subject
    original: Subject
    predictions: str
    reference: str
    settings: EvaluationSettings
    samples: SampleSet


@dataclass(frozen=True)
class EvaluatedArtifact:
    """A judgment and what came of it.

    Attributes:
        judgment: What was judged.
        reading: How it was run.
        evaluation: What came of it.
    """

    judgment: Judgment
    reading: Reading
    evaluation: Evaluation


def evaluate_target(
    workspace: Workspace,
    target: str,
    original: InspectedModel,
    optimized: Optimized,
    samples: SampleSet,
) -> tuple[EvaluatedArtifact, ...]:
    """Evaluate the original and the target's variants on the evaluation samples."""
    subjects = subjects_of(original, optimized, target)
    reading = reading_of(workspace, target, original)
    predictions = {
        each.name: predict_samples(workspace, each, reading, samples, key=each.name)
        for each in subjects
    }
    judgments = [
        Judgment(
            target=target,
            subject=each,
            original=subjects[0],
            predictions=predictions[each.name],
            reference=predictions[ORIGINAL],
            settings=settings_of(workspace, is_original=each.name == ORIGINAL),
            samples=samples,
        )
        for each in subjects
    ]
    return tuple(
        EvaluatedArtifact(
            each,
            reading,
            evaluate_predictions(workspace, each, step=f"evaluate/{target}/{each.subject.name}"),
        )
        for each in judgments
    )


def reading_of(workspace: Workspace, target: str, model: InspectedModel) -> Reading:
    """How the project's model is run on a target."""
    section, declared = workspace.targets[target], workspace.project.model
    return Reading(
        signature=model.signature,
        inputs=declared.inputs,
        output=declared.output,
        runtime=section.runtimes[0],
        threads=section.threads,
    )


def settings_of(workspace: Workspace, *, is_original: bool) -> EvaluationSettings:
    """How the project's outputs are read and how sure intervals must be."""
    from edgeworthy.evaluation import EvaluationSettings

    model = workspace.project.model
    return EvaluationSettings(
        task=model.task,
        scores=model.scores,
        label_count=len(model.labels),
        confidences=workspace.confidences,
        seed=workspace.project.seed,
        is_original=is_original,
        threshold=model.threshold,
    )


def evaluate_predictions(workspace: Workspace, judgment: Judgment, *, step: str) -> Evaluation:
    """Judge predictions that are in the cache.

    Args:
        workspace: The project and the means to work on it.
        judgment: What is judged.
        step: Name of the step.
    """
    settings = judgment.settings

    def run() -> StepResult:
        document = _document(workspace, judgment)
        return StepResult({"evaluation": encode_document(document)}, document.expires_at)

    outputs = workspace.runner.run(
        Step(
            name=step,
            title=f"Evaluating {judgment.subject.name} for {judgment.target}",
            inputs={
                "artefact": judgment.subject.artifact,
                "predictions": judgment.predictions,
                "original's predictions": judgment.reference,
                "samples": judgment.samples.digest,
                "task": settings.task,
                "scores": settings.scores,
                "labels": canonical_json(workspace.project.model.labels).decode(),
                "runtime": workspace.targets[judgment.target].runtimes[0],
                "confidences": canonical_json(settings.confidences).decode(),
                "seed": str(settings.seed),
                "threshold": str(settings.threshold),
                "evidence days": str(workspace.evidence_days),
                "host": canonical_json(host_of(workspace)).decode(),
                "tools": tool_version("numpy"),
            },
            run=run,
        )
    )
    return workspace.document(outputs["evaluation"], Evaluation)


def _document(workspace: Workspace, judgment: Judgment) -> Evaluation:
    from edgeworthy.evaluation import evaluate
    from edgeworthy.runtimes import find_runtime

    result = evaluate(
        load_predictions(workspace, judgment.predictions),
        load_predictions(workspace, judgment.reference),
        judgment.settings,
    )
    now = workspace.clock()
    return Evaluation(
        artifact=judgment.subject.artifact,
        original=judgment.original.artifact,
        variant=judgment.subject.name,
        target=judgment.target,
        runtime=find_runtime(workspace.targets[judgment.target].runtimes[0]).version(),
        task=judgment.settings.task,
        dataset=judgment.samples.summary.reference,
        metrics=result.metrics,
        flips=result.flips,
        reliability=result.reliability,
        confusion=result.confusion,
        outputs_digest=result.outputs_digest,
        host=host_of(workspace),
        seed=judgment.settings.seed,
        taken_at=now.isoformat(timespec="seconds"),
        expires_at=(now + timedelta(days=workspace.evidence_days)).isoformat(timespec="seconds"),
        findings=result.findings,
    )
