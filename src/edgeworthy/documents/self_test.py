"""What a device found out about a model when it ran the golden set of its release."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import Document, Record

Subject = Literal["outputs", "finite", "metric", "latency", "memory", "time", "golden", "engine"]


class BoundCheck(Record, frozen=True, kw_only=True):
    """One bound of the self-test.

    Attributes:
        subject: What was looked at: ``outputs`` within their tolerance, outputs that are
            ``finite`` numbers, the ``metric`` on the golden labels, ``latency``, ``memory``, the
            ``time`` that the whole test may take, whether the ``golden`` set can be read and fits
            the model, whether the ``engine`` ran it.
        name: Output or metric that it is about; empty where there is only one.
        found: What this device measured, in ``unit``; absent when nothing could be.
        bound: What was allowed, as it applies to this device now; absent when nothing could be
            measured against it.
        unit: Of both figures.
        held: Whether the bound holds.
        sentence: The same in plain English; a failure says what was expected and what to do.
    """

    subject: Subject
    name: str = ""
    found: float | None = None
    bound: float | None = None
    unit: str = ""
    held: bool
    sentence: str


class SelfTest(Document, frozen=True, kw_only=True):
    """The golden set of a release, run on one device.

    Attributes:
        release: ``NAME VERSION`` of the release.
        variant: The variant that ran.
        artifact: Digest of its file.
        golden: Digest of the golden set.
        passed: Whether every bound held.
        reasons: One sentence per bound that did not; empty when it passed.
        checks: Every bound, those that held included.
        sample_count: Golden samples that ran.
        largest_miss: Largest difference from the expected outputs, relative to their largest
            absolute value; absent when no output could be compared.
        metric: Name of the metric on the golden labels; empty without labels.
        metric_value: The metric here; absent without labels.
        latency_p50_ms: Median latency of one sample; absent when nothing ran.
        latency_p90_ms: Latency that nine of ten samples stayed within.
        slowdown_ratio: Time of the reference load here over its time where the bounds were
            taken; above 1 this device is slower now (throttled, busy, another clock), and the
            latency bound is as much wider. Absent when the release states no reference.
        first_inference_ms: Latency of the first sample after loading.
        resident_bytes: Resident memory after the run.
        model_bytes: Resident memory that the model added to the worker.
        duration_ms: Of the whole test.
        throttled: What makes the machine slower than it could be, one sentence each.
        host: This device and its software; when it changes, the proof is stale.
        reason: Why the test was run.
        taken_at: RFC 3339, UTC, by the clock of this device.
    """

    KIND: ClassVar[str] = "self-test"

    release: str
    variant: str
    artifact: str
    golden: str
    passed: bool
    reasons: tuple[str, ...]
    checks: tuple[BoundCheck, ...]
    sample_count: int
    largest_miss: float | None = None
    metric: str = ""
    metric_value: float | None = None
    latency_p50_ms: float | None = None
    latency_p90_ms: float | None = None
    slowdown_ratio: float | None = None
    first_inference_ms: float | None = None
    resident_bytes: int = 0
    model_bytes: int = 0
    duration_ms: float = 0.0
    throttled: tuple[str, ...] = ()
    host: HostFingerprint
    reason: str = "update"
    taken_at: str
