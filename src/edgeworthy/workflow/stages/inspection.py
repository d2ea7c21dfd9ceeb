"""What the model is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.model import ModelInspection, ModelSignature
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.errors import ModelFileError
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.graph import LoadedModel


@dataclass(frozen=True)
class InspectedModel:
    """The original model.

    Attributes:
        path: Its file.
        inspection: What it is.
        signature: Its inputs and outputs once the axes are pinned; the batch may stay dynamic.
    """

    path: Path
    inspection: ModelInspection
    signature: ModelSignature


def inspect_original(workspace: Workspace) -> InspectedModel:
    """Read and check the project's model.

    Raises:
        ModelFileError: It cannot be used.
    """
    path = workspace.path(workspace.project.model.path)
    if not path.exists():
        raise ModelFileError(
            "no model here",
            where=str(path),
            next_step="Correct `path` under [model] in the project file",
        )

    def run() -> StepResult:
        from edgeworthy.graph import check_static, inspect_loaded, load_model, model_signature

        model = load_model(path)
        signature = model_signature(pinned(workspace, model).proto)
        check_static(signature)
        outputs = {
            "inspection": encode_document(inspect_loaded(model)),
            "signature": canonical_json(signature),
        }
        return StepResult(outputs)

    outputs = workspace.runner.run(
        Step(
            name="inspect",
            title="Inspecting the model",
            inputs={
                **_model_files(workspace, path),
                "pinned axes": canonical_json(_pins(workspace)).decode(),
                "tools": tool_version("onnx"),
            },
            run=run,
        )
    )
    return InspectedModel(
        path=path,
        inspection=workspace.document(outputs["inspection"], ModelInspection),
        signature=msgspec.json.decode(
            workspace.cache.get(outputs["signature"]), type=ModelSignature
        ),
    )


def pinned(workspace: Workspace, model: LoadedModel) -> LoadedModel:
    """The model with the axes that the project file pins."""
    import dataclasses

    from edgeworthy.graph import pin_axes

    return dataclasses.replace(model, proto=pin_axes(model.proto, _pins(workspace)))


def _pins(workspace: Workspace) -> dict[str, dict[str, int]]:
    inputs = workspace.project.model.inputs
    return {name: section.pin for name, section in inputs.items() if section.pin}


def _model_files(workspace: Workspace, path: Path) -> dict[str, str]:
    """Digests of the model's file and of those that it keeps its weights in."""
    digest = workspace.files_digest(path)

    def run() -> StepResult:
        from edgeworthy.graph import load_model

        names = [str(each) for each in load_model(path).external_files]
        return StepResult({"names": canonical_json(names)})

    step = Step(
        name="model-files",
        title="Reading the model",
        inputs={"model": digest, "folder": str(path.parent.resolve())},
        run=run,
    )
    names = workspace.cache.get(workspace.runner.run(step)["names"])
    external = msgspec.json.decode(names, type=tuple[str, ...])
    return {"model": digest} | {
        f"external data {Path(name).name}": workspace.files_digest(Path(name))
        for name in external
        if Path(name).is_file()
    }
