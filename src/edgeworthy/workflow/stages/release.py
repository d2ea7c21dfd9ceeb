"""The signed release: what passed, with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.project import ReleaseSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.release import GoldenSet, ReleasedVariant, ReleaseManifest
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.release import Evidence, ReleaseBlob

#: Largest difference that a device of the same class may see in its self-test, relative to the
#: largest output: a few steps of an 8-bit scale.
GOLDEN_TOLERANCE = 0.02


@dataclass(frozen=True)
class Judged:
    """What a release is made of, all of it decided already."""

    original: InspectedModel
    optimized: Optimized
    measurements: Sequence[Measurement]
    evaluations: Sequence[Evaluation]
    decision: GateDecision
    golden: SampleSet


@dataclass(frozen=True)
class Released:
    """A release on the disk.

    Attributes:
        digest: Of the OCI image manifest: the name of the release.
        path: The folder.
    """

    digest: str
    path: Path


class _ReleaseNote(msgspec.Struct, frozen=True):
    digest: str
    folder_digest: str


def release(workspace: Workspace, judged: Judged) -> Released | None:
    """Sign what passed; None when the gate refused.

    Raises:
        ProjectFileError: The project file has no ``[release]``.
        SigningKeyError: The key cannot be read.
    """
    section = require_release(workspace)
    if judged.decision.verdict is not Verdict.PASS:
        return None
    path = release_path(workspace, section)
    golden = _golden_blob(workspace, judged, section)
    outputs = workspace.runner.run(
        Step(
            name="release",
            title="Signing the release",
            inputs={
                "decision": digest_bytes(encode_document(judged.decision)),
                "variants": ", ".join(sorted(_shipped(judged))),
                "golden set": golden,
                "project": canonical_json(
                    [workspace.project.project, workspace.project.model]
                ).decode(),
                "key": _public_key_digest(workspace, section),
                "folder": str(path),
                "tools": tool_version("securesystemslib"),
            },
            run=partial(_run, workspace, judged, golden, path),
            intact=lambda made: _what_is_wrong(workspace, path, made["note"]),
        )
    )
    note = msgspec.json.decode(workspace.cache.get(outputs["note"]), type=_ReleaseNote)
    return Released(digest=note.digest, path=path)


def require_release(workspace: Workspace) -> ReleaseSection:
    """The table ``[release]``.

    Raises:
        ProjectFileError: There is none.
    """
    if workspace.project.release is None:
        raise ProjectFileError(
            "no [release] in the project file",
            expected="a table [release] with `key`",
            where=str(workspace.folder),
            next_step="Add it, and make the key with `edgeworthy keys create keys/release`",
        )
    return workspace.project.release


def release_path(workspace: Workspace, section: ReleaseSection) -> Path:
    """The folder of the release: named by project and version."""
    project = workspace.project.project
    return workspace.path(section.directory) / f"{project.name}-{project.version}"


def _what_is_wrong(workspace: Workspace, path: Path, note: bytes) -> str:
    if not path.is_dir():
        return "the release folder is missing"
    known = msgspec.json.decode(note, type=_ReleaseNote)
    changed = workspace.files_digest(path) != known.folder_digest
    return "the release folder was changed" if changed else ""


def _public_key_digest(workspace: Workspace, section: ReleaseSection) -> str:
    from edgeworthy.release import load_public_key, public_key_file

    path = public_key_file(section.key, folder=workspace.folder)
    load_public_key(path)
    return workspace.files_digest(path)


def _shipped(judged: Judged) -> dict[str, list[str]]:
    """Targets by the name of the variant that ships to them."""
    shipped: dict[str, list[str]] = {}
    for target in judged.decision.targets:
        shipped.setdefault(target.variant, []).append(target.target)
    return shipped


def _golden_blob(workspace: Workspace, judged: Judged, section: ReleaseSection) -> str:
    """Digest of the golden set: samples, and what each variant says of them here."""
    names = sorted(_shipped(judged))
    variants = [judged.optimized.variants[name] for name in names]

    def run() -> StepResult:
        from edgeworthy.datasets import npz_bytes

        inputs = _golden_inputs(judged, section.golden_count)
        arrays = {f"input:{name}": array for name, array in inputs.items()}
        for each in variants:
            runtime = _runtime_of(workspace, judged, each.variant.name)
            for name, array in _outputs_of(runtime, each.path, inputs).items():
                arrays[f"output:{each.variant.name}:{name}"] = array
        return StepResult({"golden": npz_bytes(arrays)})

    outputs = workspace.runner.run(
        Step(
            name="golden",
            title="Recording the golden set",
            inputs={
                **{f"artefact {each.variant.name}": each.variant.artifact for each in variants},
                "samples": judged.golden.digest,
                "preparation": preparation_digest(workspace, judged.original.signature),
                "count": str(section.golden_count),
                "tools": tool_version("onnxruntime", "numpy"),
            },
            run=run,
        )
    )
    return outputs["golden"]


def _golden_inputs(judged: Judged, count: int) -> dict[str, NDArray[Any]]:
    """The first samples, prepared: tensors ``(n, ...)`` by input."""
    import numpy as np

    batches = list(islice(judged.golden.batches(judged.original.signature, 1), count))
    return {
        name: np.concatenate([batch.inputs[name] for batch in batches])
        for name in batches[0].inputs
    }


def _outputs_of(
    runtime: str, artifact: Path, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    from edgeworthy.runtimes import find_runtime, run_batched

    with find_runtime(runtime).load(artifact) as session:
        return run_batched(session, inputs)


def _runtime_of(workspace: Workspace, judged: Judged, variant: str) -> str:
    first_target = _shipped(judged)[variant][0]
    return workspace.targets[first_target].runtimes[0]


def _run(workspace: Workspace, judged: Judged, golden: str, path: Path) -> StepResult:
    from edgeworthy.release import ReleaseContents, load_signer, write_release

    section = require_release(workspace)
    signer = load_signer(section.key, folder=workspace.folder, passphrase=workspace.passphrase)
    contents = ReleaseContents(
        manifest=_manifest(workspace, judged, golden, section),
        blobs=tuple(_blobs(workspace, judged, golden)),
        evidence=tuple(_evidence(judged)),
    )
    digest = write_release(path, contents, signer)
    note = _ReleaseNote(digest=digest, folder_digest=workspace.files_digest(path))
    return StepResult({"note": canonical_json(note)})


def _manifest(
    workspace: Workspace, judged: Judged, golden: str, section: ReleaseSection
) -> ReleaseManifest:
    project, model = workspace.project.project, workspace.project.model
    signature = judged.original.signature
    available = judged.golden.summary.reference.sample_count
    return ReleaseManifest(
        name=project.name,
        version=project.version,
        description=project.description,
        task=model.task,
        output=model.output or signature.outputs[0].name,
        scores=model.scores,
        labels=model.labels,
        inputs=model.inputs,
        signature=signature,
        license=model.license,
        origin=model.origin,
        original=judged.original.inspection.artifact,
        variants=tuple(_released_variants(workspace, judged)),
        golden=GoldenSet(
            blob=golden,
            sample_count=min(section.golden_count, available),
            tolerance=GOLDEN_TOLERANCE,
        ),
        created_at=workspace.clock().isoformat(timespec="seconds"),
    )


def _released_variants(workspace: Workspace, judged: Judged) -> Iterable[ReleasedVariant]:
    for name, targets in sorted(_shipped(judged).items()):
        variant = judged.optimized.variants[name].variant
        sets = sorted({judged.optimized.profiles[target].instruction_set for target in targets})
        yield ReleasedVariant(
            name=name,
            artifact=variant.artifact,
            size_bytes=variant.size_bytes,
            targets=tuple(sorted(targets)),
            instruction_sets=tuple(sets),
            runtime=_runtime_of(workspace, judged, name),
        )


def _blobs(workspace: Workspace, judged: Judged, golden: str) -> Iterable[ReleaseBlob]:
    from edgeworthy.release import GOLDEN_MEDIA_TYPE, MODEL_MEDIA_TYPE, ReleaseBlob

    for name in sorted(_shipped(judged)):
        yield ReleaseBlob(
            title=f"{name}.onnx",
            media_type=MODEL_MEDIA_TYPE,
            source=judged.optimized.variants[name].path,
        )
    yield ReleaseBlob(
        title="golden.npz", media_type=GOLDEN_MEDIA_TYPE, source=workspace.cache.path_of(golden)
    )


def _evidence(judged: Judged) -> Iterable[Evidence]:
    from edgeworthy.release import Evidence

    shipped = _shipped(judged)
    artifacts = {name: judged.optimized.variants[name].variant.artifact for name in shipped}
    yield Evidence(document=judged.decision, subjects=tuple(sorted(set(artifacts.values()))))
    for name, artifact in sorted(artifacts.items()):
        variant = judged.optimized.variants[name].variant
        yield Evidence(document=variant, subjects=(artifact,))
    for measurement in judged.measurements:
        if measurement.target in shipped.get(measurement.variant, ()):
            yield Evidence(document=measurement, subjects=(measurement.artifact,))
    for evaluation in judged.evaluations:
        if evaluation.target in shipped.get(evaluation.variant, ()):
            yield Evidence(document=evaluation, subjects=(evaluation.artifact,))
