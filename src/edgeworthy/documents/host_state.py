"""Whether a machine is fit to measure on: what was read, what was found, and what to change."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import Document, Record

Fitness = Literal["fit", "fit with notes", "unfit"]
Severity = Literal["note", "problem"]


class HostFinding(Record, frozen=True, kw_only=True):
    """One thing that makes figures less sure.

    Attributes:
        name: Stable, for programs: for example ``load`` or ``governor``.
        severity: ``problem`` makes the host unfit; ``note`` is carried along by what is measured.
        sentence: What was found, with its figure.
        next_step: What the owner can do about it; empty where nothing can be done.
    """

    name: str
    severity: Severity
    sentence: str
    next_step: str = ""


class SensorReading(Record, frozen=True, kw_only=True):
    """One figure of a sensor.

    Attributes:
        sensor: Family, for example ``temperatures``.
        channel: For example ``x86_pkg_temp``.
        quantity: ``energy``, ``power``, ``temperature``, ``frequency`` or ``throttling``.
        value: In ``unit``; absent for a counter of energy, which means nothing by itself.
        unit: ``C``, ``MHz``, ``W``, ``J``, ``count`` or ``flags``.
    """

    sensor: str
    channel: str
    quantity: str
    value: float | None
    unit: str


class StabilityProbe(Record, frozen=True, kw_only=True):
    """How evenly this machine ran a loop that always does the same work.

    Attributes:
        duration_s: Time that was watched.
        spin_count: Runs of the loop.
        spin_median_us: Median time of a run.
        spin_spread_ratio: 90th percentile over the median, minus 1.
        lost_share: Share of the time in which the loop stood still: gaps of more than twice the
            median, beyond it.
        longest_gap_ms: The longest of them.
        drift_ratio: Median of the last third over that of the first, minus 1.
        clock_step_ns: Smallest step of the clock that queries are timed with.
    """

    duration_s: float
    spin_count: int
    spin_median_us: float
    spin_spread_ratio: float
    lost_share: float
    longest_gap_ms: float
    drift_ratio: float
    clock_step_ns: int


class HostState(Document, frozen=True, kw_only=True):
    """The state of a machine at one moment, and whether it is fit to measure on.

    Attributes:
        host: The machine and its software.
        verdict: ``fit``, ``fit with notes`` or ``unfit``.
        findings: Problems first.
        readings: Of every sensor that was found.
        sensor_problems: Sensors that are there and cannot be read, and the next step.
        governors: Frequency governors of the cores, each once.
        load_average: Of the last minute; absent where the kernel does not say.
        stability: What the built-in probe saw; absent when it was left out.
        taken_at: RFC 3339, UTC.
    """

    KIND: ClassVar[str] = "host-state"

    host: HostFingerprint
    verdict: Fitness
    findings: tuple[HostFinding, ...]
    readings: tuple[SensorReading, ...]
    sensor_problems: tuple[str, ...]
    governors: tuple[str, ...]
    load_average: float | None
    stability: StabilityProbe | None
    taken_at: str
