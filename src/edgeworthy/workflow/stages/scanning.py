"""Whether the files are safe to read: the original's and those that could ship."""

from __future__ import annotations

from pathlib import Path

from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.record import encode_document
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version


def scan_artifacts(
    workspace: Workspace, original: InspectedModel, optimized: Optimized
) -> tuple[ModelScan, ...]:
    """One record per file, the original's first; names that share a file share its record."""
    files = [(ORIGINAL, original.inspection.artifact, original.path)]
    files += [(name, e.variant.artifact, e.path) for name, e in optimized.variants.items()]
    scans = [_scan(workspace, name, artifact, path) for name, artifact, path in files]
    return tuple({scan.artifact: scan for scan in scans}.values())


def _scan(workspace: Workspace, name: str, artifact: str, path: Path) -> ModelScan:
    def run() -> StepResult:
        from edgeworthy.graph.scan import scan_model

        return StepResult({"scan": encode_document(scan_model(path))})

    outputs = workspace.runner.run(
        Step(
            name=f"scan/{name}",
            title=f"Scanning {name}",
            inputs={"artefact": artifact, "tools": tool_version("onnx")},
            run=run,
        )
    )
    return workspace.document(outputs["scan"], ModelScan)
