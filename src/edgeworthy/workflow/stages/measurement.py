"""How fast and how large the artefacts are on each target."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.stages.subjects import Subject, subjects_of
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.measurement import MeasurementProgress
    from edgeworthy.runtimes import Tensors

#: The original a second time: what the machine makes of equal things.
AGAIN = "original-again"
#: Samples that take turns as the input of timed queries.
SAMPLE_COUNT = 64


def measure_target(
    workspace: Workspace,
    target: str,
    original: InspectedModel,
    optimized: Optimized,
    samples: SampleSet,
) -> tuple[Measurement, ...]:
    """Measure the original and the target's variants, taking turns."""
    host = host_of(workspace)
    subjects = subjects_of(original, optimized, target)
    section = workspace.targets[target]
    outputs = workspace.runner.run(
        Step(
            name=f"measure/{target}",
            title=f"Measuring {len(subjects)} artefacts for {target}",
            inputs={
                **{f"artefact {each.name}": each.artifact for each in subjects},
                "samples": samples.digest,
                "preparation": preparation_digest(workspace, original.signature),
                "target": canonical_json([section.runtimes, section.threads]).decode(),
                "[measure]": _settings_text(workspace),
                "confidences": canonical_json(workspace.confidences).decode(),
                "seed": str(workspace.project.seed),
                "evidence days": str(workspace.evidence_days),
                "host": canonical_json(host).decode(),
                "tools": tool_version("onnxruntime", "numpy"),
            },
            run=partial(_run, workspace, target, subjects, original, samples),
        )
    )
    return tuple(
        workspace.document(outputs[name], Measurement) for name in _ordered(outputs, subjects)
    )


def host_of(workspace: Workspace) -> HostFingerprint:
    """This machine, with the engines that the targets name."""
    from edgeworthy.devices import host_fingerprint
    from edgeworthy.runtimes import find_runtime

    names = sorted({name for target in workspace.targets.values() for name in target.runtimes})
    return host_fingerprint(runtime_versions=[find_runtime(name).version() for name in names])


def _ordered(outputs: dict[str, str], subjects: list[Subject]) -> list[str]:
    order = [each.name for each in subjects]
    return sorted(outputs, key=order.index)


def _run(
    workspace: Workspace,
    target: str,
    subjects: list[Subject],
    original: InspectedModel,
    samples: SampleSet,
) -> StepResult:
    from edgeworthy.devices import disturbances
    from edgeworthy.measurement import Circumstances, MeasurementPlan, MeasurementSettings, measure

    section = workspace.targets[target]
    pipeline = samples.pipeline(original.signature, SAMPLE_COUNT)
    inputs = single_samples(original, samples)[: len(pipeline.samples)]
    title = f"Measuring {len(subjects)} artefacts for {target}"

    def report(state: MeasurementProgress) -> None:
        workspace.progress(title, state.done_ratio)

    plans = [
        MeasurementPlan(
            variant=each.name,
            artifact=each.path,
            digest=each.artifact,
            target=target,
            runtime=section.runtimes[0],
            threads=section.threads,
            is_original=each.name == ORIGINAL,
            size_bytes=each.size_bytes,
            golden=answers_of(each.path, section.runtimes[0], section.threads, inputs),
            pipeline=pipeline,
        )
        for each in subjects
    ]
    if len({each.digest for each in plans}) > 1:
        # Bare inference alone: that is what ratios are taken of.
        plans.append(dataclasses.replace(plans[0], variant=AGAIN, is_original=False, pipeline=None))
    measurements = measure(
        plans,
        MeasurementSettings(
            query_count=workspace.project.measure.query_count,
            budget_s=workspace.project.measure.budget_s,
            launches=workspace.project.measure.starts,
            seed=workspace.project.seed,
            evidence_days=workspace.evidence_days,
            confidences=workspace.confidences,
            tolerance=workspace.project.measure.tolerance,
        ),
        Circumstances(host_of(workspace), workspace.clock, disturbances()),
        inputs=inputs,
        progress=report,
    )
    outputs = {each.variant: encode_document(each) for each in _self_checked(measurements)}
    return StepResult(outputs, expires_at=min(each.expires_at for each in measurements))


def _self_checked(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Every figure beside what the original showed against itself in the same turns."""
    again = next((each for each in measurements if each.variant == AGAIN), None)
    check = again.against_original if again else None
    return [
        msgspec.structs.replace(each, self_check=check)
        for each in measurements
        if each is not again
    ]


def _settings_text(workspace: Workspace) -> str:
    """What this step takes from ``[measure]``; its other keys are for later steps."""
    asked = workspace.project.measure
    return canonical_json(
        [asked.query_count, asked.budget_s, asked.starts, asked.tolerance]
    ).decode()


def answers_of(
    path: Path, runtime: str, threads: int, inputs: Sequence[Tensors]
) -> tuple[Tensors, ...]:
    """What an artefact answers when nobody times it, in the way that it is evaluated.

    Args:
        path: The file.
        runtime: Name of the engine.
        threads: Of the engine.
        inputs: Prepared samples, one each.
    """
    from edgeworthy.runtimes import find_runtime, run_batched

    with find_runtime(runtime).load(path, threads=threads) as session:
        return tuple(run_batched(session, each) for each in inputs)


def single_samples(original: InspectedModel, samples: SampleSet) -> list[Tensors]:
    """The first samples as a model takes them, one by one."""
    rows = (
        {name: tensor[row : row + 1] for name, tensor in batch.inputs.items()}
        # A model whose batch is fixed gets batches of that size.
        for batch in samples.batches(original.signature, 1)
        for row in range(len(batch.labels))
    )
    return list(islice(rows, SAMPLE_COUNT))
