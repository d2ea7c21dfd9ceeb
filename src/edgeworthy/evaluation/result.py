"""What an evaluation found out; the workflow adds digests, machine and dates to it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.evaluation import Finding, Flips, MetricValue, ReliabilityBin


@dataclass(frozen=True)
class EvaluationResult:
    """Figures of one artefact.

    Attributes:
        metrics: On all samples first, then per slice value, each at every confidence.
        flips: Against the original; absent for the original itself and for other tasks.
        reliability: For classification.
        confusion: ``confusion[true][predicted]`` counts, for classification with up to 256 classes.
        outputs_digest: Digest of the raw outputs.
        findings: What the overall figures hide.
    """

    metrics: tuple[MetricValue, ...]
    flips: Flips | None
    reliability: tuple[ReliabilityBin, ...]
    confusion: tuple[tuple[int, ...], ...]
    outputs_digest: str
    findings: tuple[Finding, ...] = ()
