"""Whether the files are safe to read: the original's and those that could ship."""

from __future__ import annotations

from pathlib import Path

from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.record import encode_document
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version


def scan_artifacts(
    workspace: Workspace, original: InspectedModel, optimized: Optimized
) -> tuple[ModelScan, ...]:
    """One scan per file, the original's first; a file that two names share is scanned once."""
    files = {original.inspection.artifact: original.path}
    for each in optimized.variants.values():
        files.setdefault(each.variant.artifact, each.path)
    return tuple(_scan(workspace, artifact, path) for artifact, path in files.items())


def _scan(workspace: Workspace, artifact: str, path: Path) -> ModelScan:
    def run() -> StepResult:
        from edgeworthy.graph.scan import scan_model

        return StepResult({"scan": encode_document(scan_model(path))})

    outputs = workspace.runner.run(
        Step(
            name=f"scan/{artifact.removeprefix('sha256:')[:12]}",
            title=f"Scanning {path.name}",
            inputs={"artefact": artifact, "tools": tool_version("onnx")},
            run=run,
        )
    )
    return workspace.document(outputs["scan"], ModelScan)
