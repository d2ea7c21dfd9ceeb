"""What each class of CPU will see of each integer variant: estimates by emulation, said beforehand.

Rules:

1. A prediction is no measurement: the gate never sees it.
2. A build stays quick: as many samples as give a fixed amount of arithmetic, and never fewer than
   eight. How many they were stands beside the figure, and its interval is as wide as they are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.evaluation import settings_of
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized, OptimizedVariant
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from pathlib import Path

    from edgeworthy.datasets import PreparedBatch
    from edgeworthy.evaluation import Predictions
    from edgeworthy.runtimes.base import Session

#: Multiply-accumulates per variant and class.
_ARITHMETIC = 1_000_000_000
_FEWEST_SAMPLES = 8
_BATCH_SIZE = 8


def predict_classes(
    workspace: Workspace,
    original: InspectedModel,
    optimized: Optimized,
    samples: SampleSet,
    *,
    sample_count: int | None = None,
) -> tuple[Prediction, ...]:
    """Emulate every integer variant on every class of CPU.

    Args:
        workspace: The project.
        original: The model as it was given.
        optimized: Its variants.
        samples: The evaluation samples.
        sample_count: How many of them, from the first; chosen by rule 2 when left out.
    """
    from edgeworthy.optimization.emulation import classes_alike

    count = sample_count or _affordable(original)
    return tuple(
        _predict(workspace, original, each, (samples, count), classes)
        for each in optimized.variants.values()
        if each.variant.recipe.quantization is not None
        for classes in classes_alike(
            signed_activations=each.variant.recipe.quantization.activation_type == "int8"
        )
    )


def _affordable(original: InspectedModel) -> int:
    return max(_FEWEST_SAMPLES, _ARITHMETIC // max(1, original.inspection.mac_count))


def _predict(
    workspace: Workspace,
    original: InspectedModel,
    made: OptimizedVariant,
    chosen: tuple[SampleSet, int],
    classes: tuple[InstructionSet, ...],
) -> Prediction:
    samples, count = chosen
    model = workspace.project.model
    outputs = workspace.runner.run(
        Step(
            name=f"predict-class/{classes[0]}/{made.variant.name}",
            title=f"Emulating {made.variant.name} on {', '.join(classes)}",
            inputs={
                "artefact": made.variant.artifact,
                "original": original.inspection.artifact,
                "classes": canonical_json(classes).decode(),
                "samples": samples.digest,
                "sample count": str(count),
                "preparation": preparation_digest(workspace, original.signature),
                "output": model.output,
                "task": canonical_json([model.task, model.scores, len(model.labels)]).decode(),
                "confidences": canonical_json(workspace.confidences).decode(),
                "seed": str(workspace.project.seed),
                "tools": tool_version("onnx", "onnxruntime", "numpy"),
            },
            run=lambda: StepResult(
                {
                    "prediction": encode_document(
                        _document(workspace, original, made, chosen, classes)
                    )
                }
            ),
        )
    )
    return workspace.document(outputs["prediction"], Prediction)


def _document(
    workspace: Workspace,
    original: InspectedModel,
    made: OptimizedVariant,
    chosen: tuple[SampleSet, int],
    classes: tuple[InstructionSet, ...],
) -> Prediction:
    from edgeworthy.errors import InferenceError
    from edgeworthy.optimization.emulation import Emulator, saturation_of

    samples, _ = chosen
    blank = Prediction(
        artifact=made.variant.artifact,
        original=original.inspection.artifact,
        variant=made.variant.name,
        instruction_sets=classes,
        dataset=samples.summary.reference,
        sample_count=0,
        metrics=(),
        saturation=(),
        refusal="",
        seed=workspace.project.seed,
        tool_versions=tuple(tool_version("numpy", "onnxruntime").split(", ")),
    )
    try:
        emulator = Emulator(made.path.read_bytes(), classes[0])
        found = _run(workspace, emulator, original, chosen, path=made.path)
    except InferenceError as error:
        return msgspec.structs.replace(blank, refusal=error.problem)
    return msgspec.structs.replace(
        blank,
        sample_count=len(found),
        metrics=_metrics(workspace, found, _original(workspace, original, chosen)),
        saturation=saturation_of(emulator.tallies),
    )


def _metrics(
    workspace: Workspace, found: Predictions, reference: Predictions
) -> tuple[MetricValue, ...]:
    from edgeworthy.evaluation import evaluate

    result = evaluate(found, reference, settings_of(workspace, is_original=False))
    return tuple(each for each in result.metrics if not each.slice)


def _original(
    workspace: Workspace, original: InspectedModel, chosen: tuple[SampleSet, int]
) -> Predictions:
    """What the float original says: that hardly depends on the class."""
    from edgeworthy.runtimes import find_runtime

    with find_runtime("onnxruntime").load(original.path, threads=1) as session:
        return _run(workspace, session, original, chosen, path=original.path)


def _run(
    workspace: Workspace,
    session: Session,
    original: InspectedModel,
    chosen: tuple[SampleSet, int],
    *,
    path: Path,
) -> Predictions:
    from edgeworthy.evaluation import judged_as, predict
    from edgeworthy.graph import samples_at_a_time
    from edgeworthy.runtimes import run_batched

    samples, count = chosen

    def batches() -> Iterator[PreparedBatch]:
        whole = samples.batches(original.signature, _BATCH_SIZE)
        yield from islice(whole, -(-count // _BATCH_SIZE))

    run = partial(run_batched, session, at_a_time=samples_at_a_time(path))
    answers, output = judged_as(run, workspace.project.model)
    return predict(answers, batches(), output=output)
