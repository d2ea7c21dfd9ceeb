"""What a release and a report are made of, all of it decided already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.harm import Explanation
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized
from edgeworthy.workflow.workspace import Workspace


@dataclass(frozen=True)
class Judged:
    """A build up to its decision.

    Attributes:
        original: The model as it was given.
        optimized: The variants.
        measurements: Of every target.
        evaluations: Of every target.
        scans: Of every file.
        decision: The gate's.
        golden: The samples that a device will prove itself with.
        explanations: Why float ships although there are versions in integers.
    """

    original: InspectedModel
    optimized: Optimized
    measurements: Sequence[Measurement]
    evaluations: Sequence[Evaluation]
    scans: Sequence[ModelScan]
    decision: GateDecision
    golden: SampleSet
    explanations: Sequence[Explanation] = ()

    def shipped(self) -> dict[str, list[str]]:
        """Targets by the name of the variant that ships to them."""
        shipped: dict[str, list[str]] = {}
        for target in self.decision.targets:
            shipped.setdefault(target.variant, []).append(target.target)
        return shipped

    def runtime_of(self, workspace: Workspace, variant: str) -> str:
        """The engine that a shipped variant was judged with."""
        first_target = self.shipped()[variant][0]
        return workspace.targets[first_target].runtimes[0]

    def temperature_of(self, variant: str) -> float:
        """What a device divides the logits of a shipped variant by; 1 where nothing was fitted."""
        first_target = self.shipped()[variant][0]
        for each in self.evaluations:
            fit = each.temperature
            if (each.variant, each.target) == (variant, first_target) and fit is not None:
                return fit.temperature.value if fit.temperature is not None else 1.0
        return 1.0
