"""How good: metrics of one artefact on one set of samples, and what changed from the original."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.corruption import CorruptionStudy
from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.project import ExaminationName, ProfileName, Task
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


class FlippedPair(Record, frozen=True, kw_only=True):
    """Samples that moved from one predicted class to another.

    Attributes:
        before: Class that the original predicts.
        after: Class that this artefact predicts.
        changed_count: Samples that moved this way.
        negative_count: Those that were right before.
        positive_count: Those that are right now.
    """

    before: int
    after: int
    changed_count: int
    negative_count: int
    positive_count: int


class SliceFlips(Record, frozen=True, kw_only=True):
    """Predictions that changed in one slice.

    Attributes:
        slice: ``column=value``.
        sample_count: Samples in the slice.
        negative_count: Right before, wrong now.
        positive_count: Wrong before, right now.
        changed_count: Another class, right or wrong.
        mcnemar_p_value: Exact McNemar test that both kinds are equally likely here.
        adjusted_p_value: The same, corrected for the number of slices (Holm).
        excess_p_value: Fisher's exact test that negative flips are as frequent here as in the rest
            of the samples, corrected likewise; absent in documents of versions that did not ask.
        negative_flip_limit: Upper limit of the share of negative flips; the limits of all slices
            hold together with 95 % confidence (Clopper and Pearson, Bonferroni).
    """

    slice: str
    sample_count: int
    negative_count: int
    positive_count: int
    changed_count: int
    mcnemar_p_value: float
    adjusted_p_value: float
    negative_flip_limit: float
    excess_p_value: float | None = None


class Flips(Record, frozen=True, kw_only=True):
    """Predictions that changed against the original.

    Attributes:
        negative_count: Right before, wrong now.
        positive_count: Wrong before, right now.
        changed_count: Another class, right or wrong.
        mcnemar_p_value: Exact McNemar test that both kinds are equally likely.
        samples: The worst ones, most confident mistakes first.
        pairs: Which classes were exchanged for which, those with most right answers lost first.
        slices: The same counts per slice, the surest losses first.
    """

    negative_count: int
    positive_count: int
    changed_count: int
    mcnemar_p_value: float
    samples: tuple[FlippedSample, ...] = ()
    pairs: tuple[FlippedPair, ...] = ()
    slices: tuple[SliceFlips, ...] = ()


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


class TemperatureFit(Record, frozen=True, kw_only=True):
    """What a classifier's logits are divided by so that its confidence means what it says.

    Attributes:
        temperature: Fitted on other samples than those that are judged; above 1 where the model is
            more confident than it is right. Absent when refused.
        refusal: Why it is absent; empty when it is not.
        dataset: The samples that it was fitted on.
        sample_count: How many of them, evenly spread.
        loss_before: Mean negative log likelihood of their labels, as the model is.
        loss_after: The same with the temperature.
    """

    temperature: Estimate | None
    refusal: str
    dataset: DatasetReference
    sample_count: int
    loss_before: float
    loss_after: float


#: ``weak``: errs more than the rest; ``hurt``: lost more against the original than the rest.
FoundSliceKind = Literal["weak", "hurt"]


class FoundSlice(Record, frozen=True, kw_only=True):
    """A slice that nobody declared, found by a search.

    Attributes:
        kind: ``weak`` or ``hurt``.
        slice: ``column=group``, joined by ``and``.
        sample_count: Its samples.
        figure: Accuracy (or mean loss) there, or the drop against the original; the interval holds
            for all slices that were looked at together.
        rest: The same in all other samples.
        adjusted_p_value: Chance of a slice that stands out as much where there is none, over all
            that were looked at.
        looked_at: Slices that were looked at.
    """

    kind: FoundSliceKind
    slice: str
    sample_count: int
    figure: Estimate
    rest: Estimate
    adjusted_p_value: float
    looked_at: int


#: What a finding is about; each has its rule in ``edgeworthy.evaluation.findings``.
FindingKind = Literal[
    "negative-flips",
    "slice-regression",
    "calibration-loss",
    "over-confidence",
    "weak-slice",
    "hurt-slice",
    "corruption-loss",
]


class Finding(Record, frozen=True, kw_only=True):
    """Something that the overall figures do not show and a person should know.

    Attributes:
        kind: What it is about.
        slice: Where it was found; empty for all samples.
        sentence: What was found, for people.
        estimate: The figure that it rests on.
        adjusted_p_value: Corrected for everything that was looked at; absent where the finding
            rests on an interval instead of a test.
    """

    kind: FindingKind
    slice: str
    sentence: str
    estimate: Estimate
    adjusted_p_value: float | None = None


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
        findings: What the overall figures hide; empty when nothing was found, or by versions
            that did not look.
        profile: How much work what was examined beyond the metrics was allowed to be.
        examined: What was looked into beyond the metrics.
        temperature: For classifiers whose confidence was examined.
        scaled_reliability: The bins with the temperature applied.
        found_slices: Weak ones first, the worst of each kind first.
        corruptions: For artefacts whose corruptions were examined.
    """

    KIND: ClassVar[str] = "evaluation"
    SCHEMA_VERSION: ClassVar[str] = "1.2"

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
    findings: tuple[Finding, ...] = ()
    profile: ProfileName | None = None
    examined: tuple[ExaminationName, ...] = ()
    temperature: TemperatureFit | None = None
    scaled_reliability: tuple[ReliabilityBin, ...] = ()
    found_slices: tuple[FoundSlice, ...] = ()
    corruptions: CorruptionStudy | None = None
