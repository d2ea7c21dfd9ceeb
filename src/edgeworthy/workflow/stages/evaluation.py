"""How good the artefacts are on each target, and what changed from the original."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import TargetSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.measurement import host_of
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.stages.subjects import Subject, subjects_of
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.datasets import PreparedBatch
    from edgeworthy.evaluation import EvaluationSettings, Predictions

BATCH_SIZE = 64


def evaluate_target(
    workspace: Workspace,
    target: str,
    original: InspectedModel,
    optimized: Optimized,
    samples: SampleSet,
) -> tuple[Evaluation, ...]:
    """Evaluate the original and the target's variants on the evaluation samples."""
    subjects = subjects_of(original, optimized, target)
    section = workspace.targets[target]
    predictions = {
        each.name: _predict(workspace, section, each, original, samples) for each in subjects
    }
    return tuple(
        _evaluate(workspace, target, each, subjects[0], predictions, samples) for each in subjects
    )


def _predict(
    workspace: Workspace,
    section: TargetSection,
    subject: Subject,
    original: InspectedModel,
    samples: SampleSet,
) -> str:
    """Digest of the subject's predictions."""
    runtime = section.runtimes[0]
    total = samples.summary.reference.sample_count
    title = f"Running {subject.name} on {total} samples"

    def batches() -> Iterator[PreparedBatch]:
        for batch in samples.batches(original.signature, BATCH_SIZE):
            workspace.progress(title, batch.first / total)
            yield batch

    def run() -> StepResult:
        from edgeworthy.evaluation import predict
        from edgeworthy.runtimes import find_runtime, run_batched

        with find_runtime(runtime).load(subject.path, threads=section.threads) as session:
            made = predict(
                partial(run_batched, session), batches(), output=workspace.project.model.output
            )
        return StepResult({"predictions": made.to_npz_bytes()})

    outputs = workspace.runner.run(
        Step(
            name=f"predict/{runtime}-{section.threads}/{subject.name}",
            title=title,
            inputs={
                "artefact": subject.artifact,
                "samples": samples.digest,
                "preparation": preparation_digest(workspace, original.signature),
                "output": workspace.project.model.output,
                "host": canonical_json(host_of(workspace)).decode(),
                "tools": tool_version(runtime, "numpy"),
            },
            run=run,
        )
    )
    return outputs["predictions"]


def _evaluate(
    workspace: Workspace,
    target: str,
    subject: Subject,
    original: Subject,
    predictions: dict[str, str],
    samples: SampleSet,
) -> Evaluation:
    section = workspace.targets[target]

    def run() -> StepResult:
        document = _document(workspace, target, subject, original, predictions, samples)
        return StepResult({"evaluation": encode_document(document)}, document.expires_at)

    outputs = workspace.runner.run(
        Step(
            name=f"evaluate/{target}/{subject.name}",
            title=f"Evaluating {subject.name} for {target}",
            inputs={
                "artefact": subject.artifact,
                "predictions": predictions[subject.name],
                "original's predictions": predictions[ORIGINAL],
                "samples": samples.digest,
                "task": workspace.project.model.task,
                "scores": workspace.project.model.scores,
                "labels": canonical_json(workspace.project.model.labels).decode(),
                "runtime": section.runtimes[0],
                "confidences": canonical_json(workspace.confidences).decode(),
                "seed": str(workspace.project.seed),
                "evidence days": str(workspace.evidence_days),
                "host": canonical_json(host_of(workspace)).decode(),
                "tools": tool_version("numpy"),
            },
            run=run,
        )
    )
    return workspace.document(outputs["evaluation"], Evaluation)


def _document(
    workspace: Workspace,
    target: str,
    subject: Subject,
    original: Subject,
    predictions: dict[str, str],
    samples: SampleSet,
) -> Evaluation:
    from edgeworthy.evaluation import evaluate
    from edgeworthy.runtimes import find_runtime

    result = evaluate(
        _load(workspace, predictions[subject.name]),
        _load(workspace, predictions[ORIGINAL]),
        evaluation_settings(workspace, is_original=subject.name == ORIGINAL),
    )
    now = workspace.clock()
    return Evaluation(
        artifact=subject.artifact,
        original=original.artifact,
        variant=subject.name,
        target=target,
        runtime=find_runtime(workspace.targets[target].runtimes[0]).version(),
        task=workspace.project.model.task,
        dataset=samples.summary.reference,
        metrics=result.metrics,
        flips=result.flips,
        reliability=result.reliability,
        confusion=result.confusion,
        outputs_digest=result.outputs_digest,
        host=host_of(workspace),
        seed=workspace.project.seed,
        taken_at=now.isoformat(timespec="seconds"),
        expires_at=(now + timedelta(days=workspace.evidence_days)).isoformat(timespec="seconds"),
    )


def _load(workspace: Workspace, digest: str) -> Predictions:
    from edgeworthy.evaluation import Predictions

    return Predictions.from_npz_bytes(
        workspace.cache.get(digest), where=str(workspace.cache.path_of(digest))
    )


def evaluation_settings(workspace: Workspace, *, is_original: bool) -> EvaluationSettings:
    """How the project's outputs are judged."""
    from edgeworthy.evaluation import EvaluationSettings

    model = workspace.project.model
    return EvaluationSettings(
        task=model.task,
        scores=model.scores,
        label_count=len(model.labels),
        confidences=workspace.confidences,
        seed=workspace.project.seed,
        is_original=is_original,
    )
