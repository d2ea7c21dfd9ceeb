"""What is to be measured, and how long that may take.

Rules:

1. A plan names one artefact file on one target; plans that are measured together take turns.
2. Settings are limits that hold per artefact: at least so many queries and so many seconds, at
   most so many seconds. Starting the processes and warming up come on top.
3. Every artefact is started afresh at least as often as a ratio with an interval needs: two
   starts of one program differ by more than their queries do, because memory lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.errors import UsageError
from edgeworthy.runtimes.base import Tensors
from edgeworthy.statistics.order_statistics import queries_needed
from edgeworthy.statistics.paired_ratio import pairs_needed

#: Coverage of the interval of a ratio, which no requirement asks for by name.
RATIO_CONFIDENCE = 0.95


@dataclass(frozen=True)
class MeasurementPlan:
    """One artefact to measure.

    Attributes:
        variant: Name of the variant, for people and for messages.
        artifact: The file.
        digest: Digest of the artefact that the figures will be bound to.
        target: Name of the target.
        runtime: Name of the engine.
        threads: Threads inside one inference.
        is_original: Whether the others on this target are compared with it.
        size_bytes: Size of the artefact; that of the file when left out.
        processors: Logical processors that it is bound to; empty for wherever it may run.
        golden: Its own right outputs of each sample; those of the settings when left out.
        pipeline: The way from bytes to answers, to be measured beside bare inference; its samples
            are the inputs, in the same order.
    """

    variant: str
    artifact: Path
    digest: str
    target: str
    runtime: str = "onnxruntime"
    threads: int = 1
    is_original: bool = False
    size_bytes: int | None = None
    processors: tuple[int, ...] = ()
    golden: Sequence[Tensors] = field(default=(), compare=False)
    pipeline: PipelinePlan | None = field(default=None, compare=False)

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{self.variant} ({self.artifact})"


@dataclass(frozen=True)
class MeasurementSettings:
    """How thoroughly to measure.

    Attributes:
        query_count: Timed queries per artefact, at least.
        budget_s: Seconds of timed rounds per artefact after which none is begun, whether or not
            the queries were reached.
        minimum_s: Seconds of timed rounds per artefact, at least: a thousand queries of 50 us
            would see one twentieth of a second of this machine's life.
        seed: Of the random order and of generated inputs.
        evidence_days: Days until the figures expire.
        confidences: Coverages that percentiles are given at.
        percents: Percentiles that are given.
        block_s: Time of one artefact's turn.
        warm_up_limit_s: Seconds after which warming up ends even if the latency still falls.
        reply_timeout_s: Silence of a child process after which it is ended.
        launches: Starts per artefact; the fewest that the confidences allow when left out.
        keeps_partial: Whether Ctrl-C keeps what was finished instead of ending everything.
        golden: Right outputs of each sample, by name; timed answers are held against them.
        tolerance: Share of the largest golden value of an output that a value may be off.
    """

    query_count: int = 1000
    budget_s: float = 10.0
    minimum_s: float = 1.0
    seed: int = 0
    evidence_days: int = 90
    confidences: tuple[float, ...] = (0.95,)
    percents: tuple[float, ...] = (50.0, 90.0, 99.0)
    block_s: float = 0.01
    warm_up_limit_s: float = 1.0
    reply_timeout_s: float = 120.0
    launches: int | None = None
    keeps_partial: bool = False
    golden: Sequence[Tensors] = ()
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse what cannot give figures with intervals."""
        positive = ("query_count", "budget_s", "evidence_days", "block_s", "reply_timeout_s")
        for name in positive:
            if getattr(self, name) <= 0:
                raise UsageError(f"`{name}` of a measurement must be above 0")
        if not self.confidences or not all(0 < value < 1 for value in self.confidences):
            raise UsageError("confidences of a measurement lie between 0 and 1")
        if self.launches is not None and self.launches < self._launches_needed():
            raise UsageError(
                "too few starts for an interval",
                expected=f"at least {self._launches_needed()}",
                found=str(self.launches),
                next_step="Leave `starts` out to get the fewest that do",
            )

    @property
    def launch_count(self) -> int:
        """Starts per artefact."""
        return self._launches_needed() if self.launches is None else self.launches

    def _launches_needed(self) -> int:
        return max(pairs_needed(RATIO_CONFIDENCE), queries_needed(50, max(self.confidences)))


@dataclass(frozen=True)
class Circumstances:
    """Where and when a measurement is taken.

    Attributes:
        host: The machine that it runs on.
        clock: Now, with a time zone.
        disturbances: What makes the host less than quiet, for the documents.
    """

    host: HostFingerprint
    clock: Callable[[], datetime]
    disturbances: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasurementProgress:
    """How far a measurement is.

    Attributes:
        launch: Number of the start, from 1.
        launch_count: Starts in all.
        done_ratio: Share of the work that is done, from 0 to 1.
        latest_ms: Median latency of each artefact's last turn, in the order of the plans.
    """

    launch: int
    launch_count: int
    done_ratio: float
    latest_ms: tuple[float, ...] = ()


#: Told between two turns, when no child process runs.
ProgressListener: TypeAlias = Callable[[MeasurementProgress], None]
