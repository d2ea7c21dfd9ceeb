"""One artefact of a project, in the form in which bare files are measured.

Rules:

1. Its samples are the evaluation samples, prepared as the project says; the engine and the threads
   are the target's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.errors import UsageError
from edgeworthy.workflow.bare_models import BareOptions
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.measurement import answers_of, single_samples
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.stages.subjects import subjects_of
from edgeworthy.workflow.workspace import Workspace

if TYPE_CHECKING:
    from edgeworthy.runtimes import Tensors


@dataclass(frozen=True)
class MeasuredSubject:
    """An artefact, and how it is run.

    Attributes:
        variant: Its name.
        target: Name of the target.
        path: The file.
        digest: Of the file.
        threads: The target's.
        runtime: The target's first engine.
        inputs: Prepared samples, one each.
        samples_digest: Of the set that they were taken from.
    """

    variant: str
    target: str
    path: Path
    digest: str
    threads: int
    runtime: str
    inputs: Sequence[Tensors]
    samples_digest: str

    def options(self, workspace: Workspace) -> BareOptions:
        """How to measure it as a file."""
        asked = workspace.project.measure
        return BareOptions(
            runtime=self.runtime,
            threads=self.threads,
            seed=workspace.project.seed,
            inputs=tuple(self.inputs),
            answers=answers_of(self.path, self.runtime, self.threads, self.inputs),
            name=self.variant,
            target=self.target,
            tolerance=asked.tolerance,
            evidence_days=workspace.evidence_days,
        )


def measured_subject(
    original: InspectedModel,
    optimized: Optimized,
    samples: SampleSet,
    *,
    variant: str,
    target: str,
) -> MeasuredSubject:
    """An artefact of a project.

    Args:
        original: The model.
        optimized: Its variants.
        samples: The evaluation samples.
        variant: ``original``, or the name of a variant.
        target: Name of a target.

    Raises:
        UsageError: The target has no such variant.
    """
    section = samples.workspace.targets[target]
    subjects = {each.name: each for each in subjects_of(original, optimized, target)}
    if variant not in subjects:
        raise UsageError(
            f"the target `{target}` has no variant `{variant}`",
            expected=f"one of {', '.join(f'`{name}`' for name in subjects)}",
            next_step="`edgeworthy optimize` lists the variants",
        )
    chosen = subjects[variant]
    return MeasuredSubject(
        variant=variant,
        target=target,
        path=chosen.path,
        digest=chosen.artifact,
        threads=section.threads,
        runtime=section.runtimes[0],
        inputs=single_samples(original, samples),
        samples_digest=samples.digest,
    )
