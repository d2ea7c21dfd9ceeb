"""Two models on the project's evaluation samples: bare ONNX files, or releases.

Rules:

1. A bare file is prepared for as the project file says; a release says itself how raw samples
   become its inputs.
2. Both answer the same question: the same task with as many classes, or it is an error.
3. Slices that nobody declared are searched for, as in every build.
4. Of a release the variant is taken that ships to the target; its bytes are checked, its
   signatures are not: nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.model_comparison import ModelComparison
from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest
from edgeworthy.errors import UsageError
from edgeworthy.workflow.examinations.base import Case
from edgeworthy.workflow.examinations.running import examine
from edgeworthy.workflow.examinations.slices import SlicesExamination
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.evaluation import Judgment, evaluate_predictions, settings_of
from edgeworthy.workflow.stages.inference import Reading, predict_samples
from edgeworthy.workflow.stages.inspection import pinned
from edgeworthy.workflow.stages.subjects import Subject
from edgeworthy.workflow.workspace import Workspace

if TYPE_CHECKING:
    from edgeworthy.evaluation import EvaluationSettings

_DIGITS = 12


@dataclass(frozen=True)
class ComparedModel:
    """One side of a comparison.

    Attributes:
        subject: The file.
        reading: How it is run.
        settings: How its outputs are read, for a model on its own.
    """

    subject: Subject
    reading: Reading
    settings: EvaluationSettings


def compare(workspace: Workspace, old: Path, new: Path, samples: SampleSet) -> ModelComparison:
    """Run both models on the samples and say what changes.

    Args:
        workspace: The project, for its samples, preparation and first target.
        old: An ONNX file or the folder of a release.
        new: The same.
        samples: The evaluation samples.

    Raises:
        UsageError: There is nothing at a path, or the two do not answer the same question.
        ModelFileError: A file is no usable model.
        VerificationError: A folder is no whole release.
    """
    before, after = (_open(workspace, path) for path in (old, new))
    _check_comparable(before, after)
    cases = [_case(workspace, model, before, samples) for model in (before, after)]
    first, second = examine(cases, (SlicesExamination(),), "quick")
    return ModelComparison(old=first, new=second)


def _case(
    workspace: Workspace, model: ComparedModel, old: ComparedModel, samples: SampleSet
) -> Case:
    import dataclasses

    predictions, reference = (
        predict_samples(workspace, each.subject, each.reading, samples, key=_key(each.subject))
        for each in (model, old)
    )
    judgment = Judgment(
        target=next(iter(workspace.targets)),
        subject=model.subject,
        original=old.subject,
        predictions=predictions,
        reference=reference,
        settings=dataclasses.replace(model.settings, is_original=model is old),
        samples=samples,
    )
    side = "old" if model is old else "new"
    step = f"compare/{_key(old.subject)}-{_key(model.subject)}/{side}"
    return Case(
        workspace=workspace,
        judgment=judgment,
        reading=model.reading,
        samples={samples.name: samples},
        mac_count=0,
        evaluation=evaluate_predictions(workspace, judgment, step=step),
        label=step,
    )


def _key(subject: Subject) -> str:
    return subject.artifact.removeprefix("sha256:")[:_DIGITS]


def _open(workspace: Workspace, path: Path) -> ComparedModel:
    if path.is_dir():
        return _from_release(workspace, path)
    if path.is_file():
        return _from_file(workspace, path)
    raise UsageError(
        "there is nothing to compare",
        where=str(path),
        expected="an ONNX file, or the folder of a release",
        next_step="Correct the path",
    )


def _from_file(workspace: Workspace, path: Path) -> ComparedModel:
    from edgeworthy.graph import check_static, load_model, model_signature

    model = load_model(path)
    signature = model_signature(pinned(workspace, model).proto)
    check_static(signature)
    section = workspace.targets[next(iter(workspace.targets))]
    declared = workspace.project.model
    return ComparedModel(
        subject=Subject(path.name, path, model.artifact, model.size_bytes),
        reading=Reading(
            signature=signature,
            inputs=declared.inputs,
            output=declared.output,
            runtime=section.runtimes[0],
            threads=section.threads,
        ),
        settings=settings_of(workspace, is_original=True),
    )


def _from_release(workspace: Workspace, folder: Path) -> ComparedModel:
    import dataclasses

    from edgeworthy.graph import load_model
    from edgeworthy.release import read_unproven

    found = read_unproven(folder)
    manifest, target = found.manifest, next(iter(workspace.targets))
    variant = _variant_for(manifest, target, folder)
    path = found.path_of(variant)
    load_model(path)
    name = f"{manifest.name} {manifest.version} {variant.name}"
    return ComparedModel(
        subject=Subject(name, path, variant.artifact, variant.size_bytes),
        reading=Reading(
            signature=manifest.signature,
            inputs=manifest.inputs,
            output=manifest.output,
            runtime=variant.runtime,
            threads=workspace.targets[target].threads,
        ),
        settings=dataclasses.replace(
            settings_of(workspace, is_original=True),
            task=manifest.task,
            scores=manifest.scores,
            label_count=len(manifest.labels),
        ),
    )


def _variant_for(manifest: ReleaseManifest, target: str, folder: Path) -> ReleasedVariant:
    for variant in manifest.variants:
        if target in variant.targets:
            return variant
    known = sorted({name for variant in manifest.variants for name in variant.targets})
    raise UsageError(
        "the release holds nothing for this target",
        where=str(folder),
        expected=f"a variant for `{target}`, the first target of the project",
        found=f"variants for {', '.join(f'`{name}`' for name in known)}",
        next_step="Give the ONNX file inside the release instead, or name the target alike",
    )


def _check_comparable(old: ComparedModel, new: ComparedModel) -> None:
    for what, before, after in (
        ("tasks", old.settings.task, new.settings.task),
        ("numbers of labels", old.settings.label_count, new.settings.label_count),
    ):
        if before != after:
            raise UsageError(
                "the two models do not answer the same question",
                where=new.subject.name,
                expected=f"{before}, as {old.subject.name}",
                found=f"{after}: other {what}",
                next_step="Compare models of one task with the same labels",
            )
