"""The signed release: what passed, with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.project import ReleaseSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.release import GoldenSet, ReleasedVariant, ReleaseManifest
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.stages.golden import Golden, golden_set
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.release import Evidence, ReleaseBlob

#: Largest difference that a device of the same class may see in its self-test, relative to the
#: largest output: a few steps of an 8-bit scale.
GOLDEN_TOLERANCE = 0.02


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
    golden = golden_set(workspace, judged, section.golden_count)
    outputs = workspace.runner.run(
        Step(
            name="release",
            title="Signing the release",
            inputs={
                "decision": digest_bytes(encode_document(judged.decision)),
                "variants": ", ".join(sorted(judged.shipped())),
                "golden set": canonical_json(golden).decode(),
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


def _run(workspace: Workspace, judged: Judged, golden: Golden, path: Path) -> StepResult:
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
    workspace: Workspace, judged: Judged, golden: Golden, section: ReleaseSection
) -> ReleaseManifest:
    from edgeworthy.release import selection_rules

    project, model = workspace.project.project, workspace.project.model
    signature = judged.original.signature
    variants = tuple(_released_variants(workspace, judged))
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
        variants=variants,
        golden=GoldenSet(
            blob=golden.blob,
            sample_count=min(section.golden_count, available),
            tolerance=GOLDEN_TOLERANCE,
            metric=golden.metric,
            bounds=golden.bounds,
        ),
        created_at=workspace.clock().isoformat(timespec="seconds"),
        selection=selection_rules(
            variants,
            classes={
                name: profile.instruction_set for name, profile in judged.optimized.profiles.items()
            },
        ),
    )


def _released_variants(workspace: Workspace, judged: Judged) -> Iterable[ReleasedVariant]:
    for name, targets in sorted(judged.shipped().items()):
        variant = judged.optimized.variants[name].variant
        sets = sorted({judged.optimized.profiles[target].instruction_set for target in targets})
        yield ReleasedVariant(
            name=name,
            artifact=variant.artifact,
            size_bytes=variant.size_bytes,
            targets=tuple(sorted(targets)),
            instruction_sets=tuple(sets),
            runtime=judged.runtime_of(workspace, name),
            temperature=judged.temperature_of(name),
        )


def _blobs(workspace: Workspace, judged: Judged, golden: Golden) -> Iterable[ReleaseBlob]:
    from edgeworthy.release import GOLDEN_MEDIA_TYPE, MODEL_MEDIA_TYPE, ReleaseBlob

    for name in sorted(judged.shipped()):
        yield ReleaseBlob(
            title=f"{name}.onnx",
            media_type=MODEL_MEDIA_TYPE,
            source=judged.optimized.variants[name].path,
        )
    yield ReleaseBlob(
        title="golden.npz",
        media_type=GOLDEN_MEDIA_TYPE,
        source=workspace.cache.path_of(golden.blob),
    )


def _evidence(judged: Judged) -> Iterable[Evidence]:
    from edgeworthy.release import Evidence

    shipped = judged.shipped()
    artifacts = {name: judged.optimized.variants[name].variant.artifact for name in shipped}
    yield Evidence(document=judged.decision, subjects=tuple(sorted(set(artifacts.values()))))
    for name, artifact in sorted(artifacts.items()):
        variant = judged.optimized.variants[name].variant
        yield Evidence(document=variant, subjects=(artifact,))
    for measurement in judged.measurements:
        if measurement.target in shipped.get(measurement.variant, ()):
            yield Evidence(document=measurement, subjects=(measurement.artifact,))
    for scan in judged.scans:
        if scan.artifact in artifacts.values():
            yield Evidence(document=scan, subjects=(scan.artifact,))
    for evaluation in judged.evaluations:
        if evaluation.target in shipped.get(evaluation.variant, ()):
            yield Evidence(document=evaluation, subjects=(evaluation.artifact,))
