"""Where the time of a model goes, and how far that is from what the machine could do."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Document, Record

Precision = Literal["float", "int8", "other"]
Limit = Literal["arithmetic", "memory", "none"]


class Roofline(Document, frozen=True, kw_only=True):
    """What a machine can do at most, measured once.

    Attributes:
        runtime: Engine and version.
        threads: Threads inside one inference.
        float_gmacs_per_s: Largest rate of float32 multiply-adds, in billions per second.
        int8_gmacs_per_s: Largest rate of 8-bit multiply-adds; absent when the engine has none.
        memory_gb_per_s: Bytes read and written per second, in billions, in memory.
        cache_gb_per_s: The same within the second-level cache.
        cache_bytes: Size of that cache.
        host: Where it was measured.
        taken_at: RFC 3339, UTC.
    """

    KIND: ClassVar[str] = "roofline"

    runtime: str
    threads: int
    float_gmacs_per_s: float
    int8_gmacs_per_s: float | None
    memory_gb_per_s: float
    cache_gb_per_s: float
    cache_bytes: int
    host: HostFingerprint
    taken_at: str


class OperatorTime(Record, frozen=True, kw_only=True):
    """All nodes of one operator in one precision.

    Attributes:
        op_type: As the engine calls it after its own rewriting, for example ``FusedConv``.
        precision: Of its arithmetic: ``int8`` when its first input has 8-bit integers.
        node_count: Nodes in the model as the engine runs it.
        time_ms: Median over the runs of the time of all nodes together.
        time_share: Of the time of all operators.
        mac_count: Multiply-adds of one run; 0 for operators without, absent when not known.
        moved_bytes: Bytes of all inputs and outputs, each once.
        macs_per_byte: Arithmetic intensity; absent without multiply-adds.
        gmacs_per_s: Reached, in billions per second; absent without multiply-adds.
        limit_gmacs_per_s: What the roofline allows at this intensity.
        reached_ratio: Reached over allowed; for operators without multiply-adds, bytes per second
            over the bandwidth. Above 1 when data stays closer than the second-level cache.
        limited_by: ``arithmetic`` or ``memory``: which side of the roofline it is on; ``none``
            when nothing is known.
    """

    op_type: str
    precision: Precision
    node_count: int
    time_ms: Estimate
    time_share: float
    mac_count: int | None
    moved_bytes: int
    macs_per_byte: float | None
    gmacs_per_s: float | None
    limit_gmacs_per_s: float | None
    reached_ratio: float | None
    limited_by: Limit


class OperatorProfile(Document, frozen=True, kw_only=True):
    """Time of one model, operator by operator.

    Attributes:
        artifact: Digest of the file that was profiled.
        variant: Its name.
        runtime: Engine and version.
        threads: Threads inside one inference.
        run_count: Runs that were profiled, after warming up.
        latency_ms: Median of as many runs without the profiler.
        operators_ms: Median of the time of all operators together, under the profiler.
        operators: Longest time first.
        remarks: What it means, one sentence each.
        roofline: Of this machine.
        taken_at: RFC 3339, UTC.
        expires_at: RFC 3339, UTC.
        disturbances: What made the host less than quiet, one sentence each.
    """

    KIND: ClassVar[str] = "operator-profile"

    artifact: str
    variant: str
    runtime: str
    threads: int
    run_count: int
    latency_ms: float
    operators_ms: float
    operators: tuple[OperatorTime, ...]
    remarks: tuple[str, ...]
    roofline: Roofline
    taken_at: str
    expires_at: str
    disturbances: tuple[str, ...] = ()
