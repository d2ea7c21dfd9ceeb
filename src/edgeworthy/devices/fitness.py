"""Is this machine fit to measure on, and what would make it so.

Rules:

1. One problem makes a machine unfit; notes alone make it fit with notes.
2. What the built-in probe saw counts as much as what the kernel says: a machine may look quiet and
   stumble all the same.
3. Every finding that the owner can do something about says what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from edgeworthy.devices.sensors import FoundSensors, Gauge, find_sensors
from edgeworthy.devices.state import governors, host_findings, load_average
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.host_state import (
    Fitness,
    HostFinding,
    HostState,
    SensorReading,
    StabilityProbe,
)

#: Below the first a machine is steady; above the second its figures would mislead.
_LOST_SHARES = (0.01, 0.05)
_SPREADS = (0.05, 0.25)
_DRIFTS = (0.03, 0.15)
_COARSE_CLOCK_NS = 1000
_HOT_C = 80.0


def host_state(
    host: HostFingerprint,
    *,
    taken_at: datetime,
    stability: StabilityProbe | None = None,
    root: Path = Path("/"),
) -> HostState:
    """Read the machine's state and judge it.

    Args:
        host: What the machine is.
        taken_at: Now, with a time zone.
        stability: What a probe saw just before; absent when there was none.
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
    """
    sensors = find_sensors(root)
    readings = tuple(_readings(sensors))
    findings = [*host_findings(root), *_heat(readings), *_unsteady(stability)]
    # Sorting is stable: the order of the checks stays within a severity.
    findings.sort(key=lambda finding: finding.severity != "problem")
    return HostState(
        host=host,
        verdict=verdict_of(findings),
        findings=tuple(findings),
        readings=readings,
        sensor_problems=tuple(problem for family in sensors for problem in family.problems),
        governors=governors(root),
        load_average=load_average(root),
        stability=stability,
        taken_at=taken_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def verdict_of(findings: Iterable[HostFinding]) -> Fitness:
    """What findings say together.

    >>> verdict_of([])
    'fit'
    """
    severities = {finding.severity for finding in findings}
    if "problem" in severities:
        return "unfit"
    return "fit with notes" if severities else "fit"


def _readings(sensors: Iterable[FoundSensors]) -> Iterator[SensorReading]:
    for family in sensors:
        for channel in family.channels:
            value = channel.read() if isinstance(channel, Gauge) else None
            yield SensorReading(
                sensor=channel.sensor,
                channel=channel.name,
                quantity=channel.quantity,
                value=value if isinstance(value, float) else None,
                unit=channel.unit,
            )


def _heat(readings: Iterable[SensorReading]) -> Iterator[HostFinding]:
    temperatures = [
        (each.value, each.channel)
        for each in readings
        if each.quantity == "temperature" and each.value is not None
    ]
    if temperatures and max(temperatures)[0] >= _HOT_C:
        value, channel = max(temperatures)
        yield HostFinding(
            name="temperature",
            severity="note",
            sentence=f"The sensor `{channel}` shows {value:.0f} C: throttling may be near.",
            next_step="Let the machine cool down; a sustained run shows what heat costs",
        )


def _unsteady(probe: StabilityProbe | None) -> Iterator[HostFinding]:
    if probe is None:
        return
    if probe.lost_share > _LOST_SHARES[0]:
        yield HostFinding(
            name="lost-time",
            severity="problem" if probe.lost_share > _LOST_SHARES[1] else "note",
            sentence=f"A loop on one core stood still for {100 * probe.lost_share:.1f} % of the "
            f"time, for up to {probe.longest_gap_ms:.1f} ms at once.",
            next_step="End other work, or keep a core free of it (`isolcpus`, `taskset`)",
        )
    if probe.spin_spread_ratio > _SPREADS[0]:
        yield HostFinding(
            name="spread",
            severity="problem" if probe.spin_spread_ratio > _SPREADS[1] else "note",
            sentence="The same work took longer than its median by "
            f"{100 * probe.spin_spread_ratio:.0f} % or more in one of ten runs.",
            next_step="Fix the clock (governor `performance`, turbo off) and end other work",
        )
    if abs(probe.drift_ratio) > _DRIFTS[0]:
        word = "slower" if probe.drift_ratio > 0 else "faster"
        yield HostFinding(
            name="drift",
            severity="problem" if abs(probe.drift_ratio) > _DRIFTS[1] else "note",
            sentence=f"The same work became {100 * abs(probe.drift_ratio):.0f} % {word} within "
            f"{probe.duration_s:.0f} s.",
            next_step="Fix the clock (governor `performance`, turbo off) and look again",
        )
    if probe.clock_step_ns > _COARSE_CLOCK_NS:
        yield HostFinding(
            name="clock-step",
            severity="note",
            sentence=f"The clock moves in steps of {probe.clock_step_ns} ns, too coarse for the "
            "latency of small models.",
            next_step="Let the kernel use a better clock source (`tsc`)",
        )
