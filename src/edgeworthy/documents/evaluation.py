"""How good: metrics of one artefact on one set of samples, and what changed from the original."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.project import Task
from edgeworthy.documents.record import Document, Record


class MetricValue(Record, frozen=True, kw_only=True):
    """A metric on all samples or on a slice.

    Attributes:
        metric: For example ``accuracy``.
        slice: ``column=value``, or empty for all samples.
        estimate: The value with its interval.
        drop: How much worse than the original on the same samples (paired; positive is worse);
            absent for the original itself and for metrics without a direction.
    """

    metric: str
    slice: str
    estimate: Estimate
    drop: Estimate | None = None


class FlippedSample(Record, frozen=True, kw_only=True):
    """A sample whose predicted class is not the original's.

    Attributes:
        index: Position in the data set.
        label: True class.
        before: Class that the original predicts.
        after: Class that this artefact predicts.
        confidence_before: The original's probability of ``before``.
        confidence_after: This artefact's probability of ``after``.
    """

    index: int
    label: int
    before: int
    after: int
    confidence_before: float
    confidence_after: float


class Flips(Record, frozen=True, kw_only=True):
    """Predictions that changed against the original.

    Attributes:
        negative_count: Right before, wrong now.
        positive_count: Wrong before, right now.
        changed_count: Another class, right or wrong.
        mcnemar_p_value: Exact McNemar test that both kinds are equally likely.
        samples: The worst ones, most confident mistakes first.
    """

    negative_count: int
    positive_count: int
    changed_count: int
    mcnemar_p_value: float
    samples: tuple[FlippedSample, ...] = ()


class ReliabilityBin(Record, frozen=True, kw_only=True):
    """Predictions of similar confidence.

    Attributes:
        lowest: Lower edge of the bin's confidence.
        highest: Upper edge.
        sample_count: Predictions inside.
        mean_confidence: Their mean confidence; 0 when empty.
        accuracy: Share that was right; 0 when empty.
    """

    lowest: float
    highest: float
    sample_count: int
    mean_confidence: float
    accuracy: float


class Evaluation(Document, frozen=True, kw_only=True):
    """Metrics of one artefact, run by one engine on one machine.

    Attributes:
        artifact: Digest of the file that was evaluated.
        original: Digest of the model that it is compared with.
        variant: Its name.
        target: The target whose engine and threads were used.
        runtime: Engine and version.
        task: What the outputs mean.
        dataset: The samples.
        metrics: On all samples and per slice, at each confidence that was asked for.
        flips: Against the original; absent for the original itself and for other tasks.
        reliability: For classification.
        confusion: ``confusion[true][predicted]`` counts, for classification.
        outputs_digest: Digest of the raw outputs; two runs that agree bit for bit have the same.
        host: Where it ran: integer arithmetic differs between classes of CPU.
        seed: Seed of the bootstrap.
        taken_at: RFC 3339, UTC.
        expires_at: RFC 3339, UTC.
    """

    KIND: ClassVar[str] = "evaluation"

    artifact: str
    original: str
    variant: str
    target: str
    runtime: str
    task: Task
    dataset: DatasetReference
    metrics: tuple[MetricValue, ...]
    flips: Flips | None
    reliability: tuple[ReliabilityBin, ...]
    confusion: tuple[tuple[int, ...], ...]
    outputs_digest: str
    host: HostFingerprint
    seed: int
    taken_at: str
    expires_at: str
