"""The golden set: samples with the outputs that a device must reproduce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from edgeworthy.documents.record import Record, canonical_json
from edgeworthy.documents.release import GoldenBounds
from edgeworthy.workflow.stages.data import preparation_digest
from edgeworthy.workflow.stages.golden_bounds import (
    GOLDEN_METRICS,
    GoldenFigures,
    bounds_of,
    timed,
)
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.stages.optimization import OptimizedVariant
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Golden(Record, frozen=True, kw_only=True):
    """A golden set and what belongs to it.

    Attributes:
        blob: Digest of the npz.
        metric: What its labels are judged with; empty without.
        bounds: Per variant.
    """

    blob: str
    metric: str
    bounds: tuple[GoldenBounds, ...]


def golden_set(workspace: Workspace, judged: Judged, count: int) -> Golden:
    """The golden set: samples, what each variant says of them here, and what a device may."""
    names = sorted(judged.shipped())
    variants = [judged.optimized.variants[name] for name in names]
    model = workspace.project.model
    metric = GOLDEN_METRICS.get(model.task, "")

    def run() -> StepResult:
        arrays, figures = _recorded(workspace, judged, variants, count)
        return StepResult({"golden": arrays, "figures": canonical_json(figures)})

    outputs = workspace.runner.run(
        Step(
            name="golden",
            title="Recording the golden set",
            inputs={
                **{f"artefact {each.variant.name}": each.variant.artifact for each in variants},
                **{f"threads {name}": str(_threads(workspace, judged, name)) for name in names},
                "samples": judged.golden.digest,
                "preparation": preparation_digest(workspace, judged.original.signature),
                "metric": f"{metric} of {model.scores} in {model.output}",
                "count": str(count),
                "tools": tool_version("onnxruntime", "numpy"),
            },
            run=run,
        )
    )
    figures = workspace.cache.get(outputs["figures"])
    available = min(count, judged.golden.summary.reference.sample_count)
    return Golden(
        blob=outputs["golden"],
        metric=metric,
        bounds=tuple(
            bounds_of(workspace, judged, each, metric=metric, count=available)
            for each in msgspec.json.decode(figures, type=tuple[GoldenFigures, ...])
        ),
    )


def _threads(workspace: Workspace, judged: Judged, variant: str) -> int:
    return workspace.targets[judged.shipped()[variant][0]].threads


def _recorded(
    workspace: Workspace, judged: Judged, variants: Sequence[OptimizedVariant], count: int
) -> tuple[bytes, list[GoldenFigures]]:
    """The npz, and what each variant did."""
    from edgeworthy.datasets import npz_bytes
    from edgeworthy.runtimes import find_runtime, run_batched

    inputs, labels = _golden_samples(judged, count)
    arrays = {f"input:{name}": array for name, array in inputs.items()}
    if workspace.project.model.task in GOLDEN_METRICS:
        arrays["label"] = labels
    all_figures = []
    for each in variants:
        name = each.variant.name
        threads = _threads(workspace, judged, name)
        runtime = find_runtime(judged.runtime_of(workspace, name))
        with runtime.load(each.path, threads=threads) as session:
            outputs = run_batched(session, inputs)
            figures = timed(name, session, threads=threads, inputs=inputs)
        arrays |= {f"output:{name}:{output}": array for output, array in outputs.items()}
        all_figures.append(_with_metric(workspace, figures, outputs, labels))
    return npz_bytes(arrays), all_figures


def _with_metric(
    workspace: Workspace,
    figures: GoldenFigures,
    outputs: Mapping[str, NDArray[Any]],
    labels: NDArray[Any],
) -> GoldenFigures:
    # The device's own arithmetic, so that both ends count alike.
    from edgeworthy.agent.worker.golden_samples import golden_metric

    model = workspace.project.model
    if model.task not in GOLDEN_METRICS:
        return figures
    judged_output = outputs[model.output or next(iter(outputs))]
    value = golden_metric(GOLDEN_METRICS[model.task], judged_output, labels, scores=model.scores)
    return msgspec.structs.replace(figures, metric_value=value)


def _golden_samples(judged: Judged, count: int) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """The first samples, prepared: tensors ``(n, ...)`` by input; and their labels."""
    import numpy as np

    # A model whose batch is fixed gets batches of that size, so that more may come than asked for.
    batches = list(islice(judged.golden.batches(judged.original.signature, 1), count))
    inputs = {
        name: np.concatenate([batch.inputs[name] for batch in batches])[:count]
        for name in batches[0].inputs
    }
    return inputs, np.concatenate([batch.labels for batch in batches])[:count]
