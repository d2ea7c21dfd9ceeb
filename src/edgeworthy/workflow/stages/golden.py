"""The golden set: samples with the outputs that a device must reproduce."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeworthy.workflow.stages.data import preparation_digest
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from numpy.typing import NDArray


def golden_set(workspace: Workspace, judged: Judged, count: int) -> str:
    """Digest of the golden set: samples, and what each variant says of them here."""
    names = sorted(judged.shipped())
    variants = [judged.optimized.variants[name] for name in names]

    def run() -> StepResult:
        from edgeworthy.datasets import npz_bytes

        inputs = _golden_inputs(judged, count)
        arrays = {f"input:{name}": array for name, array in inputs.items()}
        for each in variants:
            runtime = judged.runtime_of(workspace, each.variant.name)
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
                "count": str(count),
                "tools": tool_version("onnxruntime", "numpy"),
            },
            run=run,
        )
    )
    return outputs["golden"]


def _golden_inputs(judged: Judged, count: int) -> dict[str, NDArray[Any]]:
    """The first samples, prepared: tensors ``(n, ...)`` by input."""
    import numpy as np

    # A model whose batch is fixed gets batches of that size, so that more may come than asked for.
    batches = list(islice(judged.golden.batches(judged.original.signature, 1), count))
    return {
        name: np.concatenate([batch.inputs[name] for batch in batches])[:count]
        for name in batches[0].inputs
    }


def _outputs_of(
    runtime: str, artifact: Path, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    from edgeworthy.runtimes import find_runtime, run_batched

    with find_runtime(runtime).load(artifact) as session:
        return run_batched(session, inputs)
