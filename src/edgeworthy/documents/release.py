"""What a release holds: the record that travels as the configuration of the OCI manifest."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.project import InputSection, Scores, Task
from edgeworthy.documents.record import Document, Record


class ReleasedVariant(Record, frozen=True, kw_only=True):
    """An artefact of the release and the devices that it is for.

    Attributes:
        name: Name of the variant.
        artifact: Digest of its blob.
        size_bytes: Size of its blob.
        targets: Targets of the project that chose it.
        instruction_sets: CPU classes that it was made and judged for.
        runtime: Engine that it was judged with.
        temperature: What a classifier's logits are divided by before the softmax, so that its
            confidence means what it says; fitted for this very file. Where ``scores`` is
            ``probabilities``, their logarithms take the place of logits, none taken below that of
            one in a million. 1 changes nothing; so do releases of version 1.0, which had none.
    """

    name: str
    artifact: str
    size_bytes: int
    targets: tuple[str, ...]
    instruction_sets: tuple[InstructionSet, ...]
    runtime: str
    temperature: Annotated[float, Meta(gt=0, le=1000)] = 1.0


class SelectionRule(Record, frozen=True, kw_only=True):
    """A line of the rule by which a device selects its variant; the first that fits decides.

    Attributes:
        instruction_set: Class of CPU that the line is for; ``generic`` is every device's.
        target: Target of the project that the choice was made for.
        runtime: Engine to run the variant with.
        variant: Name of the variant to run.
    """

    instruction_set: InstructionSet
    target: str
    runtime: str
    variant: str


class GoldenBounds(Record, frozen=True, kw_only=True):
    """What one variant did with the golden set where the release was built, and what it may do.

    Attributes:
        variant: The variant.
        instruction_set: CPU class of the machine that the figures are from; latency and memory
            are held against them on devices of this class only.
        threads: Threads of the engine inside one inference.
        metric_value: The metric on the golden labels there; absent without one.
        metric_bound: The worst that a device may have; absent without a metric.
        latency_p50_ms: Median latency of one golden sample there.
        latency_bound_ms: The 90th percentile on a device stays within it, times the slowdown of
            the reference load: what the project requires, or else a multiple of the figure there.
        reference_ms: Median time of the reference load there, taken in turn with the model.
        memory_bound_bytes: Resident memory that the model may add to its worker; absent when it
            was not measured.
    """

    variant: str
    instruction_set: InstructionSet
    threads: int
    metric_value: float | None = None
    metric_bound: float | None = None
    latency_p50_ms: float
    latency_bound_ms: float
    reference_ms: float
    memory_bound_bytes: int | None = None


class GoldenSet(Record, frozen=True, kw_only=True):
    """Samples with expected outputs, by which a device proves the model to itself.

    Attributes:
        blob: Digest of an npz with ``input:NAME`` and, per variant, ``output:VARIANT:NAME``; and
            ``label``, the true answers, where there is a metric.
        sample_count: Number of samples.
        tolerance: Largest difference from the expected outputs, relative to their largest
            absolute value.
        metric: What the golden labels are judged with: ``accuracy`` or ``mae``; empty without.
        bounds: Per variant, what else must hold; none in releases of version 1.1 and before.
    """

    blob: str
    sample_count: int
    tolerance: float
    metric: str = ""
    bounds: tuple[GoldenBounds, ...] = ()


class ReleaseManifest(Document, frozen=True, kw_only=True):
    """What is in a release and how it is used.

    Attributes:
        name: Of the project.
        version: Of the project.
        description: Of the project.
        task: What the outputs mean.
        output: The output that is judged.
        scores: Whether the output needs a softmax.
        labels: Class names.
        inputs: Preparation of raw samples, by input.
        signature: Inputs and outputs of the model.
        license: SPDX expression of the weights.
        origin: Where the model came from.
        original: Digest of the model that the variants were made from.
        variants: What ships.
        golden: The self-test.
        created_at: RFC 3339, UTC.
        selection: How a device selects its variant, the most specific class of CPU first; empty in
            releases from before the rule was written down.
    """

    KIND: ClassVar[str] = "release-manifest"
    SCHEMA_VERSION: ClassVar[str] = "1.2"

    name: str
    version: str
    description: str
    task: Task
    output: str
    scores: Scores
    labels: tuple[str, ...]
    inputs: dict[str, InputSection]
    signature: ModelSignature
    license: str
    origin: str
    original: str
    variants: tuple[ReleasedVariant, ...]
    golden: GoldenSet
    created_at: str
    selection: tuple[SelectionRule, ...] = ()


class EvidenceReference(Record, frozen=True, kw_only=True):
    """A signed statement that belongs to a release.

    Attributes:
        predicate_type: What kind of document it carries.
        envelope: Digest of the DSSE envelope.
        size_bytes: Size of the envelope.
    """

    predicate_type: str
    envelope: str
    size_bytes: int


class ReleaseIndex(Document, frozen=True, kw_only=True):
    """Everything that belongs to a release, so that nothing can be added or left out.

    Attributes:
        manifest: Digest of the OCI image manifest.
        evidence: Every signed statement, sorted by predicate type and digest.
    """

    KIND: ClassVar[str] = "release-index"

    manifest: str
    evidence: tuple[EvidenceReference, ...]
