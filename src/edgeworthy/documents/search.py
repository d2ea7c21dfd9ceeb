"""A search for the version of a model that suits a target best, and what it found."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import HostFingerprint, InstructionSet
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import HarmCheck, LayerRemark
from edgeworthy.documents.record import Document, Record
from edgeworthy.documents.variant import Recipe

#: ``labels``: the metric compares with labels. ``agreement-classes`` and ``agreement-vectors``
#: compare with what the float original says, because there are no labels.
MetricBasis = Literal["labels", "agreement-classes", "agreement-vectors"]


class LayerSensitivity(Record, frozen=True, kw_only=True):
    """How much of the outputs' error a layer alone causes in integers.

    Attributes:
        node: Name of the node.
        op_type: Its operator.
        error_ratio: Energy of the error over the energy of the outputs, when this layer alone
            computes in integers.
        sample_count: Samples that it was taken on.
        float_order: Its place in the order in which layers go back to float, from 0: the first free
            the most noise for their work, together with those before them.
    """

    node: str
    op_type: str
    error_ratio: float
    sample_count: int
    float_order: int = 0


class PinnedAxis(Record, frozen=True, kw_only=True):
    """An axis that the model leaves open, and the size that it has in the samples.

    Attributes:
        input: Name of the input.
        axis: Name of the axis.
        size: Its size, which every version has for good.
    """

    input: str
    axis: str
    size: int


class Trial(Record, frozen=True, kw_only=True):
    """One version that was tried.

    Attributes:
        name: Of the version; with ``-on-ENGINE`` for other engines than the target's first.
        recipe: How it was made; absent for the original itself.
        runtime: Engine.
        why: What the search hoped for.
        failure: Why there is nothing more; empty when it went well.
        artifact: Digest of the file.
        size_bytes: Size of the file.
        metric: Value of the metric.
        loss: How much worse than the original on the same samples; positive is worse.
        latency_ms: Median latency.
        ratio: Latency over the original's, measured in turns; below 1 is faster.
        harm: Whether it may take the place of float; absent for float itself.
        on_front: Whether nothing else is at least as good in metric, latency and size at once.
        seconds: Time that it took.
    """

    name: str
    recipe: Recipe | None
    runtime: str
    why: str
    failure: str = ""
    artifact: str = ""
    size_bytes: int = 0
    metric: Estimate | None = None
    loss: Estimate | None = None
    latency_ms: Estimate | None = None
    ratio: Estimate | None = None
    harm: HarmCheck | None = None
    on_front: bool = False
    seconds: float = 0.0


class Search(Document, frozen=True, kw_only=True):
    """All trials of a search, the front, and the version that was chosen.

    Attributes:
        model: Name of the model's file.
        original: Digest of the model.
        target: Target that was searched for.
        instruction_set: Class of CPU that it ran on.
        threads: Threads of the engine.
        prefer: What the target asks for.
        metric: Name of the metric.
        higher_is_better: Which way the metric is better.
        basis: What the metric compares with.
        margin: Largest loss that still counts as none, in the metric's unit.
        confidence: Coverage of the interval of the loss that is held against the margin.
        dataset: Digest of the samples that judged.
        sample_count: How many they were.
        calibration: Digest of the samples that ranges come from.
        trials: The original first, then in the order of the search.
        self_check: The original against itself in the same turns; absent when nothing was measured.
        sensitivities: Layers, the one that causes the largest error first; empty when nobody asked.
        sensitivity_of: The trial that they were taken of.
        chosen: Name of the trial that was chosen.
        reason: Why, one sentence.
        remarks: Why no faster or smaller version took the place of float, layer by layer.
        ended: Why the search ended.
        budget_s: Seconds that it was given; absent without a limit.
        spent_s: Seconds that its trials took, those before an interruption included.
        seed: Of everything random.
        host: Where it ran.
        taken_at: RFC 3339, UTC.
        pinned: Axes that a bare model leaves open and that every version has fixed.
    """

    KIND: ClassVar[str] = "search"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    model: str
    original: str
    target: str
    instruction_set: InstructionSet
    threads: int
    prefer: str
    metric: str
    higher_is_better: bool
    basis: MetricBasis
    margin: float
    confidence: float
    dataset: str
    sample_count: int
    calibration: str
    trials: tuple[Trial, ...]
    self_check: Estimate | None
    sensitivities: tuple[LayerSensitivity, ...]
    sensitivity_of: str
    chosen: str
    reason: str
    remarks: tuple[LayerRemark, ...]
    ended: str
    budget_s: float | None
    spent_s: float
    seed: int
    host: HostFingerprint
    taken_at: str
    pinned: tuple[PinnedAxis, ...] = ()
