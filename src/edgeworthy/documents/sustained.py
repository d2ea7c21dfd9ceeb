"""How an artefact runs for minutes: whether heat or power takes away what a short run promises."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Document, Record

#: What a fall of the throughput comes from.
FallKind: TypeAlias = Literal["limited", "slower", "others", "unknown"]


class SustainedWindow(Record, frozen=True, kw_only=True):
    """A stretch of a sustained run.

    Attributes:
        start_s: Since the first timed query.
        duration_s: Of the stretch, whatever stood still in it included.
        query_count: Queries that were answered in it.
        p50_ms: Median latency.
        p90_ms: 90th percentile; the largest where there are fewer than ten queries.
        temperature_c: Of the hottest sensor at the end; absent without a sensor.
        frequency_mhz: Mean clock of the cores at the end; absent without a sensor.
        energy_joules: Drawn in the stretch, idle included; absent without a sensor.
        cpu_cores: Processor time that the process got, over the time of the stretch; absent where
            the kernel does not tell.
        load_s: Time in which the process had queries to answer: the stretch without the turns of
            the process that asks; absent where it was not taken.
        cpu_s: Processor time that the process got in that time.
        waited_s: Time in which it could have run while others had its cores; pauses by a quota of
            its control group are not in it. Absent where the kernel does not tell.
        paused_s: Time for which a control group paused its processes; absent without a quota.
        others_cores: Mean number of cores that worked for other processes or, as far as the
            hypervisor tells, for other virtual machines; absent where the kernel does not tell.
    """

    start_s: float
    duration_s: float
    query_count: int
    p50_ms: float
    p90_ms: float
    temperature_c: float | None = None
    frequency_mhz: float | None = None
    energy_joules: float | None = None
    cpu_cores: float | None = None
    load_s: float | None = None
    cpu_s: float | None = None
    waited_s: float | None = None
    paused_s: float | None = None
    others_cores: float | None = None

    @property
    def throughput_per_s(self) -> float:
        """Queries per second."""
        return self.query_count / self.duration_s

    @property
    def undisturbed_per_s(self) -> float | None:
        """Queries per second if others had not taken its cores; absent where nobody tells.

        Of the time that a process is able to run, it gets the share ``cpu / (cpu + waited)``; the
        rest is others'. A slower clock, a quota or a process that is stopped are not others: they
        are still in this figure.
        """
        if not self.load_s or not self.cpu_s or self.waited_s is None:
            return None
        return self.query_count / self.load_s * (self.cpu_s + self.waited_s) / self.cpu_s


class Throttling(Record, frozen=True, kw_only=True):
    """A lasting fall of the throughput.

    Attributes:
        onset_s: When it began, since the first timed query.
        end_s: When the throughput was back; absent when it was not.
        noticed_s: When the watch that ran along gave the alarm; absent when it did not.
        before_per_s: Queries per second up to the onset.
        during_per_s: Queries per second from the onset to the end.
        depth_ratio: Share that was lost, on average from the onset to the end: of the throughput,
            without what others took or gave back meanwhile where the kernel tells; of a limit, with
            the wait for a core that it brings about.
        cause: What clock, temperature and the share of the processor did meanwhile; empty when
            nothing tells.
        taken_away: Whether the process got less processor time while it was as fast as before in
            the time that it got: other work or a limit took it, not heat.
        kind: ``limited``: it was not allowed to run, by a quota or a signal; ``slower``: each query
            took more processor time, as under heat; ``others``: other processes had its cores or
            its caches; ``unknown`` where the kernel does not tell.
    """

    onset_s: float
    end_s: float | None
    noticed_s: float | None
    before_per_s: float
    during_per_s: float
    depth_ratio: float
    cause: str
    taken_away: bool = False
    kind: FallKind = "unknown"


class SteadyState(Record, frozen=True, kw_only=True):
    """What the throughput settled at.

    Attributes:
        from_s: From here to the end a test for stationarity (KPSS, 5 %) finds nothing against it.
        throughput_per_s: Queries per second in that time.
        p50_ms: Median of the windows' medians in that time.
    """

    from_s: float
    throughput_per_s: float
    p50_ms: float


class EnergyUse(Record, frozen=True, kw_only=True):
    """Energy of a run.

    Attributes:
        source: The sensors, for example ``rapl package-0``. They cover all that runs on the
            machine or processor, not this process alone.
        method: ``counted`` by the hardware, or ``sampled`` and integrated by us.
        sample_rate_hz: Readings per second that were reached; absent when counted.
        joules: In all, idle included.
        error_joules: Half width at 95 %: the steps of a counter, or what the samples leave open.
        duration_s: Time that it covers.
        idle_watts: Power just before the run, with the model loaded and nothing asked of it.
        per_inference_mj: Idle included.
        above_idle_per_inference_mj: Idle subtracted.
    """

    source: str
    method: Literal["counted", "sampled"]
    sample_rate_hz: float | None
    joules: float
    error_joules: float
    duration_s: float
    idle_watts: float
    per_inference_mj: Estimate
    above_idle_per_inference_mj: Estimate


class SustainedRun(Document, frozen=True, kw_only=True):
    """One artefact under load for minutes.

    Attributes:
        artifact: Digest of the file that ran.
        variant: Its name.
        target: The target whose threads and engine were used.
        runtime: Engine and version.
        threads: Threads inside one inference.
        asked_s: Duration that was asked for.
        windows: In order.
        retention: Throughput of the last part over that of the first; absent when refused.
        retention_refusal: Why it is absent.
        throttling: The first lasting fall of the throughput; absent when there was none.
        steady: What it settled at; absent when it did not.
        energy: Absent when it was not measured.
        energy_refusal: Why it is absent.
        peak_memory_mib: Largest resident memory of the process; absent when it was stopped early.
        host: Where it ran.
        taken_at: RFC 3339, UTC: the beginning.
        expires_at: RFC 3339, UTC.
        disturbances: What made the host less than quiet, before and meanwhile.
        partial: Whether it was stopped before its time.
        checked_count: Timed answers that were held against golden ones, all right; 0 without golden
            ones.
    """

    KIND: ClassVar[str] = "sustained-run"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    artifact: str
    variant: str
    target: str
    runtime: str
    threads: int
    asked_s: float
    windows: tuple[SustainedWindow, ...]
    retention: Estimate | None
    retention_refusal: str
    throttling: Throttling | None
    steady: SteadyState | None
    energy: EnergyUse | None
    energy_refusal: str
    peak_memory_mib: float | None
    host: HostFingerprint
    taken_at: str
    expires_at: str
    disturbances: tuple[str, ...] = ()
    partial: bool = False
    checked_count: int = 0
