"""How much load an artefact carries, in MLPerf's scenarios."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Percentile
from edgeworthy.documents.record import Document, Record

LoadScenario = Literal["MultiStream", "Server", "Offline"]


class RateAttempt(Record, frozen=True, kw_only=True):
    """One run of the Server scenario.

    Attributes:
        rate_hz: Queries that arrived per second, on average.
        achieved_hz: Queries that were answered per second.
        query_count: Queries that were answered.
        over_latency_count: Those that took longer than the bound.
        held: Whether MLPerf's early stopping is sure, at 99 % confidence, that the bound holds.
        start: Number of the start that it ran in, from 1.
    """

    rate_hz: float
    achieved_hz: float
    query_count: int
    over_latency_count: int
    held: bool
    start: int


class LoadMeasurement(Document, frozen=True, kw_only=True):
    """Latency and throughput of one artefact under a load.

    Attributes:
        artifact: Digest of the file that was measured.
        variant: Its name.
        runtime: Engine and version.
        threads: Threads inside one inference.
        affinity: Logical processors that the process could run on.
        scenario: MLPerf's name of the load.
        samples_per_query: Samples of a query; the batch in Offline.
        query_count: Timed queries.
        throughput_hz: Samples per second; of the confirmed rate in Server. Absent in Server when
            no rate held.
        percentiles: Of the latency of a query; empty in Offline.
        latency_bound_ms: Server: what a query may take.
        bound_percent: Server: the share of queries, in per cent, that must keep the bound.
        rate_hz: Server: the highest rate that held in every start it was confirmed in.
        attempts: Server: every rate that was tried, in order.
        checked_count: Answers that were held against golden ones, all right; 0 without golden ones.
        host: Where it ran.
        seed: Of arrivals and samples.
        taken_at: RFC 3339, UTC.
        expires_at: RFC 3339, UTC.
        disturbances: What made the host less than quiet, one sentence each.
        partial: Whether Ctrl-C ended it early; fewer starts then stand behind each figure.
    """

    KIND: ClassVar[str] = "load-measurement"

    artifact: str
    variant: str
    runtime: str
    threads: int
    affinity: tuple[int, ...]
    scenario: LoadScenario
    samples_per_query: int
    query_count: int
    throughput_hz: Estimate | None
    percentiles: tuple[Percentile, ...]
    latency_bound_ms: float | None
    bound_percent: float | None
    rate_hz: float | None
    attempts: tuple[RateAttempt, ...]
    checked_count: int
    host: HostFingerprint
    seed: int
    taken_at: str
    expires_at: str
    disturbances: tuple[str, ...] = ()
    partial: bool = False
