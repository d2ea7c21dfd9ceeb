"""How fast and how large: figures of one artefact on one machine."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Document, Record


class Percentile(Record, frozen=True, kw_only=True):
    """A latency percentile, or the reason why these queries cannot give it.

    Attributes:
        percent: For example 99.
        latency_ms: Distribution-free interval; absent when refused.
        refusal: Why it is absent, with the number of queries that would do.
    """

    percent: float
    latency_ms: Estimate | None
    refusal: str = ""


class EarlyStopping(Record, frozen=True, kw_only=True):
    """MLPerf's estimate of a percentile from all queries together.

    Attributes:
        percent: For example 90.
        latency_ms: The true percentile is not above it, with 99 % confidence, as long as queries
            are independent; absent when there are too few.
        queries_needed: The fewest queries that MLPerf believes it from.
    """

    percent: float
    latency_ms: float | None
    queries_needed: int


class PairedRatio(Record, frozen=True, kw_only=True):
    """Latency against another artefact measured in turn with it.

    Attributes:
        baseline: Digest of the other artefact.
        ratio: Ours over theirs; below 1 is faster.
        verdict: ``faster``, ``slower`` or ``no difference``.
    """

    baseline: str
    ratio: Estimate
    verdict: str


#: The stages of a query, in their order.
PIPELINE_STAGES = ("decode", "pre-process", "inference", "post-process")


class StageTime(Record, frozen=True, kw_only=True):
    """One stage of the pipeline.

    Attributes:
        stage: ``decode``, ``pre-process``, ``inference`` or ``post-process``.
        p50_ms: Median over the queries, with an interval over the starts; absent when refused.
        share_ratio: Of the time of all queries.
        refusal: Why the median is absent.
    """

    stage: str
    p50_ms: Estimate | None
    share_ratio: float
    refusal: str = ""


class PipelineTimes(Record, frozen=True, kw_only=True):
    """The whole way of a sample, measured beside bare inference in the same processes.

    Attributes:
        form: What the samples arrive as: ``image``, ``wav``, ``csv`` or ``arrays``.
        query_count: Timed queries.
        stages: In their order.
        percentiles: Of whole queries: p50, p90, p99.
        quantiles_ms: Of whole queries: 101 quantiles from 0 to 100 percent, for drawing.
        inference_ratio: Inference inside of the pipeline over bare inference in the same turns;
            above 1 when the other stages leave it cold caches.
        cold_start_ms: Importing engine and decoders, loading, and the first query from bytes to
            answer, over the starts; the start of Python itself is not in it.
        peak_memory_mib: Largest resident memory with decoders and samples in it, over the starts.
        checked_count: Answers of the pipeline that were held against golden ones, all right.
    """

    form: str
    query_count: int
    stages: tuple[StageTime, ...]
    percentiles: tuple[Percentile, ...]
    quantiles_ms: tuple[float, ...]
    inference_ratio: Estimate
    cold_start_ms: Estimate
    peak_memory_mib: Estimate
    checked_count: int = 0


class Measurement(Document, frozen=True, kw_only=True):
    """Speed, memory and size of one artefact, in MLPerf's SingleStream scenario.

    Attributes:
        artifact: Digest of the file that was measured.
        variant: Its name.
        target: The target whose threads and engine were used.
        runtime: Engine and version, for example ``onnxruntime 1.32.0``.
        threads: Threads inside one inference.
        scenario: ``SingleStream``: one query after the other, one sample each.
        query_count: Timed queries, warm-up not counted.
        percentiles: p50, p90, p99.
        quantiles_ms: 101 quantiles from 0 to 100 percent, for drawing.
        load_time_ms: From the file to a session that can run.
        first_inference_ms: The first query after loading.
        peak_memory_mib: Largest resident memory of the process that ran only this artefact.
        runtime_memory_mib: Resident memory of that process before it loaded the artefact.
        size_kib: Size of the file.
        against_original: Paired with the original model; absent for the original itself.
        host: Where it ran.
        interleaving_seed: Seed of the random order in which artefacts took turns.
        taken_at: RFC 3339, UTC.
        expires_at: RFC 3339, UTC.
        disturbances: What made the host less than quiet, one sentence each.
        steady_memory_mib: Resident memory after the last query, over the starts.
        affinity: Logical processors that the process could run on; empty when not recorded.
        checked_count: Timed answers that were held against golden ones, all right; 0 without
            golden ones.
        early_stopping: What MLPerf would report, beside the percentiles with intervals.
        cold_start_ms: Importing the engine, loading and the first query together, over the starts;
            the start of Python itself is not in it.
        partial: Whether Ctrl-C ended it early; fewer starts then stand behind each figure.
        time_to_first_inference_ms: Loading and the first query together, over the starts, once the
            engine is imported.
        arena_mib: Memory that the engine holds ready for tensors, weights that lie in it included,
            as it tells itself; absent where it does not.
        pipeline: The whole way of a sample; absent without samples as a device receives them.
        self_check: The original against itself in the same turns: what this machine makes of equal
            things; absent when it was not taken.
    """

    KIND: ClassVar[str] = "measurement"
    SCHEMA_VERSION: ClassVar[str] = "1.2"

    artifact: str
    variant: str
    target: str
    runtime: str
    threads: int
    scenario: str
    query_count: int
    percentiles: tuple[Percentile, ...]
    quantiles_ms: tuple[float, ...]
    load_time_ms: Estimate
    first_inference_ms: float
    peak_memory_mib: Estimate
    runtime_memory_mib: float
    size_kib: Estimate
    against_original: PairedRatio | None
    host: HostFingerprint
    interleaving_seed: int
    taken_at: str
    expires_at: str
    disturbances: tuple[str, ...] = ()
    steady_memory_mib: Estimate | None = None
    affinity: tuple[int, ...] = ()
    checked_count: int = 0
    early_stopping: tuple[EarlyStopping, ...] = ()
    cold_start_ms: Estimate | None = None
    partial: bool = False
    time_to_first_inference_ms: Estimate | None = None
    arena_mib: Estimate | None = None
    pipeline: PipelineTimes | None = None
    self_check: PairedRatio | None = None
