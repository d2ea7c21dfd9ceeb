"""How latency and throughput depend on threads, batch and processors."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Document, Record


class SweepPoint(Record, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        threads: Threads inside one inference.
        batch: Samples of a query.
        latency_ms: Median latency of a query, over the starts.
        throughput_hz: Samples per second, over the starts.
        is_knee: Whether it is the setting of the lowest latency among those that reach nine tenths
            of the best throughput.
        processors: Logical processors that it was bound to; empty for wherever it may run.
    """

    threads: int
    batch: int
    latency_ms: Estimate
    throughput_hz: Estimate
    is_knee: bool
    processors: tuple[int, ...] = ()


class Sweep(Document, frozen=True, kw_only=True):
    """Latency and throughput of one artefact at several settings, which took turns.

    Attributes:
        artifact: Digest of the file that was measured.
        variant: Its name.
        runtime: Engine and version.
        affinity: Logical processors that the processes could run on.
        points: Every setting, by threads, batch and processors.
        start_count: Starts behind each figure.
        host: Where it ran.
        seed: Of the random order.
        taken_at: RFC 3339, UTC.
        expires_at: RFC 3339, UTC.
        disturbances: What made the host less than quiet, one sentence each.
        partial: Whether Ctrl-C ended it early; fewer starts then stand behind each figure.
    """

    KIND: ClassVar[str] = "sweep"

    artifact: str
    variant: str
    runtime: str
    affinity: tuple[int, ...]
    points: tuple[SweepPoint, ...]
    start_count: int
    host: HostFingerprint
    seed: int
    taken_at: str
    expires_at: str
    disturbances: tuple[str, ...] = ()
    partial: bool = False
