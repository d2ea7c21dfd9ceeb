"""What is measured of the chosen variants alone: minutes under load, operators, settings.

Rules:

1. It is done where ``[measure]`` asks for it, once per target, for the variant that ships there or,
   when none does, for the one that came closest.
2. It decides nothing: the gate has spoken before.
3. Inputs are prepared evaluation samples; the target's engine and threads are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.documents.record import Document, canonical_json, encode_document
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.documents.sweep import Sweep
from edgeworthy.errors import Interrupted
from edgeworthy.workflow.measured_subject import MeasuredSubject, measured_subject
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.stages.measurement import host_of
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import DocumentT, Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.measurement.sustained import SustainedProgress


@dataclass(frozen=True)
class CloserLook:
    """What was measured of the chosen variants, in the order of the targets.

    Attributes:
        sustained: Runs under load for minutes.
        profiles: Times of operators.
        sweeps: Latency and throughput at several settings.
    """

    sustained: tuple[SustainedRun, ...] = ()
    profiles: tuple[OperatorProfile, ...] = ()
    sweeps: tuple[Sweep, ...] = ()

    @property
    def documents(self) -> tuple[Document, ...]:
        """All of them."""
        return (*self.sustained, *self.profiles, *self.sweeps)


def closer_look(workspace: Workspace, judged: Judged, samples: SampleSet) -> CloserLook:
    """Measure what ``[measure]`` asks for beyond latency, memory and size."""
    asked = workspace.project.measure
    subjects = [
        measured_subject(
            judged.original, judged.optimized, samples, variant=each.variant, target=each.target
        )
        for each in judged.decision.targets
    ]
    look = partial(_each, workspace, preparation_digest(workspace, judged.original.signature))
    return CloserLook(
        sustained=look(
            subjects, _Look("sustained", asked.sustained_s, _run_sustained), SustainedRun
        )
        if asked.sustained_s is not None
        else (),
        profiles=look(subjects, _Look("operators", asked.operators, _profile), OperatorProfile)
        if asked.operators
        else (),
        sweeps=look(subjects, _Look("sweep", asked.sweep, _sweep), Sweep) if asked.sweep else (),
    )


@dataclass(frozen=True)
class _Look:
    """One kind of closer look.

    Attributes:
        name: Of the step.
        asked: What the project file says of it.
        measure: Does it.
    """

    name: str
    asked: object
    measure: Callable[[Workspace, MeasuredSubject], Document]


def _each(
    workspace: Workspace,
    preparation: str,
    subjects: Sequence[MeasuredSubject],
    look: _Look,
    kind: type[DocumentT],
) -> tuple[DocumentT, ...]:
    """One step per subject."""
    found = []
    for subject in subjects:
        target = workspace.targets[subject.target]
        outputs = workspace.runner.run(
            Step(
                name=f"{look.name}/{subject.target}",
                title=f"A closer look at {subject.variant} on {subject.target}",
                inputs={
                    "artefact": subject.digest,
                    "variant": subject.variant,
                    "samples": subject.samples_digest,
                    "preparation": preparation,
                    "target": canonical_json([target.runtimes, target.threads]).decode(),
                    f"[measure] {look.name}": canonical_json(look.asked).decode(),
                    "tolerance": str(workspace.project.measure.tolerance),
                    "seed": str(workspace.project.seed),
                    "evidence days": str(workspace.evidence_days),
                    "host": canonical_json(host_of(workspace)).decode(),
                    "tools": tool_version("onnxruntime", "numpy"),
                },
                run=partial(_result, workspace, subject, look.measure),
            )
        )
        found.append(workspace.document(outputs["document"], kind))
    return tuple(found)


def _result(
    workspace: Workspace,
    subject: MeasuredSubject,
    measure: Callable[[Workspace, MeasuredSubject], Document],
) -> StepResult:
    document = measure(workspace, subject)
    expires_at = getattr(document, "expires_at", None)
    return StepResult({"document": encode_document(document)}, expires_at=expires_at)


def _run_sustained(workspace: Workspace, subject: MeasuredSubject) -> SustainedRun:
    from edgeworthy.workflow.sustained import run_sustained

    duration_s = workspace.project.measure.sustained_s
    assert duration_s is not None  # noqa: S101 - asked before

    def show(state: SustainedProgress) -> None:
        window = state.window
        said = [
            f"{subject.variant} without pause, {state.elapsed_s:.0f} of {state.asked_s:.0f} s",
            f"{window.throughput_per_s:.0f} per second, p50 {window.p50_ms:.3g} ms",
        ]
        if window.temperature_c is not None:
            said.append(f"{window.temperature_c:.0f} C")
        if state.throttled_since_s is not None:
            said.append(f"throttled since about {state.throttled_since_s:.0f} s")
        workspace.progress(", ".join(said), min(state.elapsed_s / state.asked_s, 1.0))

    run = run_sustained(
        subject.path, subject.options(workspace), duration_s=duration_s, listener=show
    )
    _refuse_half(partial=run.partial)
    return run


def _profile(workspace: Workspace, subject: MeasuredSubject) -> OperatorProfile:
    from edgeworthy.workflow.operators import profile_file

    return profile_file(subject.path, subject.options(workspace), progress=workspace.progress)


def _sweep(workspace: Workspace, subject: MeasuredSubject) -> Sweep:
    from edgeworthy.workflow.bare_models import sweep_file

    axes = workspace.project.measure.sweep
    found = sweep_file(subject.path, axes, subject.options(workspace), progress=workspace.progress)
    _refuse_half(partial=found.partial)
    return found


def _refuse_half(*, partial: bool) -> None:
    """Half a measurement is no evidence, and a build that is asked to stop stops.

    Raises:
        Interrupted: Ctrl-C ended it.
    """
    if partial:
        raise Interrupted("stopped by Ctrl-C; finished steps are kept")
