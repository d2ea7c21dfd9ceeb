"""The order of the work: each stage is done once, when something asks for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.project import EvaluateSection
from edgeworthy.workflow.examinations.base import Case
from edgeworthy.workflow.examinations.registry import wanted
from edgeworthy.workflow.examinations.running import examine
from edgeworthy.workflow.measured_subject import MeasuredSubject, measured_subject
from edgeworthy.workflow.stages.closer_look import CloserLook, closer_look
from edgeworthy.workflow.stages.data import SampleSet, read_samples
from edgeworthy.workflow.stages.evaluation import evaluate_target
from edgeworthy.workflow.stages.explanation import explain_decision
from edgeworthy.workflow.stages.gate import Taken, check_policy, gate
from edgeworthy.workflow.stages.inspection import InspectedModel, inspect_original
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.stages.measurement import measure_target
from edgeworthy.workflow.stages.optimization import Optimized, optimize
from edgeworthy.workflow.stages.prediction import predict_classes
from edgeworthy.workflow.stages.release import Released, release
from edgeworthy.workflow.stages.report import Findings, Report, report
from edgeworthy.workflow.stages.scanning import scan_artifacts
from edgeworthy.workflow.workspace import Workspace


class Pipeline:
    """The stages of one build.

    Args:
        workspace: The project and the means to work on it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def original(self) -> InspectedModel:
        """The model as it was given."""
        check_policy(self.workspace)
        return inspect_original(self.workspace)

    @cached_property
    def samples(self) -> Mapping[str, SampleSet]:
        """Every data set."""
        return read_samples(self.workspace)

    @cached_property
    def optimized(self) -> Optimized:
        """The variants."""
        return optimize(self.workspace, self.original, self.samples)

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """What each class of CPU will see of the integer variants, on a few samples."""
        return self.predicted(None)

    def predicted(self, sample_count: int | None) -> tuple[Prediction, ...]:
        """The same on as many samples as wanted."""
        samples = self.samples.get("evaluation")
        if samples is None:
            return ()
        return predict_classes(
            self.workspace, self.original, self.optimized, samples, sample_count=sample_count
        )

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """Of every target, the original included."""
        original, optimized, samples = self.original, self.optimized, self.samples["evaluation"]
        return tuple(
            each
            for target in self.workspace.targets
            for each in measure_target(self.workspace, target, original, optimized, samples)
        )

    @cached_property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Of every target, the original included, with what the project wants examined."""
        project = self.workspace.project
        profile, examinations = wanted(project.evaluate, project.require)
        return examine(self._cases, examinations, profile)

    def examined(self, section: EvaluateSection) -> tuple[Evaluation, ...]:
        """The evaluations with what is wanted of them."""
        profile, examinations = wanted(section)
        return examine(self._cases, examinations, profile)

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        original, optimized, samples = self.original, self.optimized, self.samples["evaluation"]
        return tuple(
            Case(
                workspace=self.workspace,
                judgment=each.judgment,
                reading=each.reading,
                samples=self.samples,
                mac_count=original.inspection.mac_count,
                evaluation=each.evaluation,
            )
            for target in self.workspace.targets
            for each in evaluate_target(self.workspace, target, original, optimized, samples)
        )

    @cached_property
    def scans(self) -> tuple[ModelScan, ...]:
        """Of the original's file and of each variant's."""
        return scan_artifacts(self.workspace, self.original, self.optimized)

    @cached_property
    def decision(self) -> GateDecision:
        """What may ship."""
        taken = Taken(self.measurements, self.evaluations, self.scans)
        return gate(self.workspace, self.original, self.optimized, taken)

    @cached_property
    def judged(self) -> Judged:
        """All that a release and a report are made of."""
        return Judged(
            original=self.original,
            optimized=self.optimized,
            measurements=self.measurements,
            evaluations=self.evaluations,
            scans=self.scans,
            decision=self.decision,
            golden=self.samples.get("golden", self.samples["evaluation"]),
        )

    @cached_property
    def closer_look(self) -> CloserLook:
        """What was measured of the chosen variants alone."""
        return closer_look(self.workspace, self.judged, self.samples["evaluation"])

    def subject(self, variant: str, target: str) -> MeasuredSubject:
        """One artefact and how it is run."""
        return measured_subject(
            self.original,
            self.optimized,
            self.samples["evaluation"],
            variant=variant,
            target=target,
        )

    @cached_property
    def released(self) -> Released | None:
        """The signed release, if the gate passed and there is a key to sign with."""
        if self.workspace.project.release is None:
            return None
        return release(self.workspace, self.judged)

    @cached_property
    def report(self) -> Report:
        """The report."""
        judged = dataclasses.replace(
            self.judged,
            explanations=explain_decision(
                self.workspace,
                self.original,
                self.optimized,
                self.decision,
                self.samples["evaluation"],
            ),
        )
        findings = Findings(
            judged=judged,
            released=self.released,
            samples=self.samples,
            predictions=self.predictions,
            closer_look=self.closer_look,
        )
        return report(self.workspace, findings)
