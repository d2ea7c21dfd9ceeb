"""Why float ships to a target although there are versions in integers, layer by layer."""

from __future__ import annotations

from itertools import islice

import msgspec

from edgeworthy.documents.gate import GateDecision, TargetDecision
from edgeworthy.documents.harm import CheckedVariant, Explanation, LayerRemark
from edgeworthy.documents.record import canonical_json
from edgeworthy.workflow.explaining import Suspects, explain, in_question
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.measurement import host_of, single_samples
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

_BATCH_SIZE = 8


def explain_decision(
    workspace: Workspace,
    original: InspectedModel,
    optimized: Optimized,
    decision: GateDecision,
    samples: SampleSet,
) -> tuple[Explanation, ...]:
    """Explain each target that float ships to, where this machine is of its class."""
    explained = []
    for target in decision.targets:
        rival = _rival(target)
        profile = optimized.profiles[target.target]
        same = profile.instruction_set == host_of(workspace).instruction_set
        if rival is None or not same or rival.variant not in optimized.variants:
            continue
        explained.append(_explain(workspace, original, optimized, (target, rival), samples))
    return tuple(explained)


def _rival(target: TargetDecision) -> CheckedVariant | None:
    """The version that came closest, if float ships and it may not take its place."""
    named = {each.variant for each in target.harm}
    if not target.harm or target.variant in named:
        return None
    return min(target.harm, key=lambda each: (not each.check.not_inferior, not each.check.better))


def _explain(
    workspace: Workspace,
    original: InspectedModel,
    optimized: Optimized,
    case: tuple[TargetDecision, CheckedVariant],
    samples: SampleSet,
) -> Explanation:
    target, rival = case
    section = workspace.targets[target.target]
    kept, refused = optimized.variants[target.variant], optimized.variants[rival.variant]
    suspects = Suspects(
        float_file=kept.path,
        integer_file=refused.path,
        runtime=section.runtimes[0],
        threads=section.threads,
        instruction_set=optimized.profiles[target.target].instruction_set,
    )

    def run() -> StepResult:
        sample = single_samples(original, samples)[0]
        batches = islice(samples.batches(original.signature, _BATCH_SIZE), 1)
        remarks = explain(suspects, sample, (each.inputs for each in batches))
        return StepResult({"remarks": canonical_json(remarks)})

    outputs = workspace.runner.run(
        Step(
            name=f"explain/{target.target}/{rival.variant}",
            title=f"Asking why {rival.variant} may not take the place of float",
            inputs={
                "float": kept.variant.artifact,
                "integers": refused.variant.artifact,
                "samples": samples.digest,
                "preparation": preparation_digest(workspace, original.signature),
                "target": canonical_json([section.runtimes, section.threads]).decode(),
                "host": canonical_json(host_of(workspace)).decode(),
                "tools": tool_version("onnxruntime", "numpy"),
            },
            run=run,
        )
    )
    data = workspace.cache.get(outputs["remarks"])
    remarks = msgspec.json.decode(data, type=tuple[LayerRemark, ...])
    slow, lossy = not rival.check.better, not rival.check.not_inferior
    return Explanation(
        target=target.target,
        variant=rival.variant,
        remarks=in_question(remarks, slow=slow, lossy=lossy),
    )
