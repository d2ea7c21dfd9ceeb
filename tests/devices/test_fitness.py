from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edgeworthy.devices import (
    HostSoftware,
    HostWatch,
    host_fingerprint,
    host_state,
    probe_stability,
)
from edgeworthy.devices.counters import (
    LostShare,
    LostTime,
    lost_between,
    lost_sentences,
    process_cpu_s,
)
from edgeworthy.documents.host_state import HostState, StabilityProbe
from edgeworthy.documents.record import decode_document, encode_document

MakeRoot = Callable[..., Path]
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SOFTWARE = HostSoftware(
    architecture="x86_64",
    operating_system="Linux 6.1",
    python_version="3.11.7",
    usable_core_count=2,
)
STEADY = StabilityProbe(
    duration_s=1.0,
    spin_count=10_000,
    spin_median_us=100.0,
    spin_spread_ratio=0.01,
    lost_share=0.001,
    longest_gap_ms=0.2,
    drift_ratio=0.0,
    clock_step_ns=30,
)


def state_of(root: Path, stability: StabilityProbe | None = STEADY) -> HostState:
    host = host_fingerprint(runtime_versions=(), root=root, software=SOFTWARE)
    return host_state(host, taken_at=NOW, stability=stability, root=root)


def test_a_quiet_machine_is_fit(make_root: MakeRoot) -> None:
    state = state_of(make_root("x86-avx2"))
    assert (state.verdict, state.findings) == ("fit", ())
    assert state.taken_at == "2026-11-23T10:00:00Z"


def test_without_a_probe_the_kernel_s_word_stands(make_root: MakeRoot) -> None:
    assert state_of(make_root("x86-avx2"), None).verdict == "fit"


def test_a_governor_is_a_note_and_overload_a_problem(make_root: MakeRoot) -> None:
    governor = {"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n"}
    state = state_of(make_root("x86-avx2", governor))
    assert (state.verdict, state.governors) == ("fit with notes", ("ondemand",))
    load = {"proc/loadavg": "2.50 1.0 1.0 1/100 1\n"}
    state = state_of(make_root("x86-avx2", {**governor, **load}))
    assert state.verdict == "unfit"
    assert [(each.name, each.severity) for each in state.findings] == [
        ("load", "problem"),
        ("governor", "note"),
    ]
    assert state.load_average == 2.5
    assert all(each.next_step for each in state.findings)


@pytest.mark.parametrize(
    ("change", "name", "severity"),
    [
        ({"lost_share": 0.02}, "lost-time", "note"),
        ({"lost_share": 0.2}, "lost-time", "problem"),
        ({"spin_spread_ratio": 0.1}, "spread", "note"),
        ({"spin_spread_ratio": 0.5}, "spread", "problem"),
        ({"drift_ratio": 0.05}, "drift", "note"),
        ({"drift_ratio": -0.3}, "drift", "problem"),
        ({"clock_step_ns": 15_000_000}, "clock-step", "note"),
    ],
)
def test_what_the_probe_saw_counts(
    make_root: MakeRoot, change: dict[str, float], name: str, severity: str
) -> None:
    state = state_of(make_root("x86-avx2"), msgspec.structs.replace(STEADY, **change))
    assert [(each.name, each.severity) for each in state.findings] == [(name, severity)]


def test_heat_and_sensors_are_in_the_record_which_survives_the_disk(make_root: MakeRoot) -> None:
    files = {
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "84000\n",
        "sys/class/powercap/intel-rapl:0/name": "package-0\n",
        "sys/class/powercap/intel-rapl:0/energy_uj": "1\n",
        "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "10\n",
        "sys/class/powercap/intel-rapl:1/name": "package-1\n",
    }
    state = state_of(make_root("pi-4", files))
    assert [each.name for each in state.findings] == ["temperature"]
    assert [(each.channel, each.value) for each in state.readings] == [
        ("package-0", None),
        ("cpu-thermal", 84.0),
    ]
    assert state.sensor_problems == ("rapl package-1: the file is gone.",)
    assert decode_document(encode_document(state), HostState, where="x") == state


def ticking(steps_ns: Iterator[int]) -> Callable[[], int]:
    now = 0

    def clock() -> int:
        nonlocal now
        now += next(steps_ns)
        return now

    return clock


def test_the_probe_counts_gaps_as_lost_time() -> None:
    def steps() -> Iterator[int]:
        yield from [20] * 1001
        for index in range(1_000_000):
            yield 600_000 if index % 10 == 9 else 100_000

    probe = probe_stability(duration_s=0.015, work=lambda: None, clock_ns=ticking(steps()))
    assert probe.spin_count == 100
    assert probe.clock_step_ns == 20
    assert probe.spin_median_us == 100.0
    assert probe.lost_share == pytest.approx(10 * 0.5 / 15)
    assert probe.longest_gap_ms == 0.5
    assert probe.drift_ratio == 0.0


def test_the_probe_sees_a_machine_that_slows_down() -> None:
    def steps() -> Iterator[int]:
        yield from [20] * 1001
        yield from [100_000] * 50
        yield from [130_000] * 100_000

    probe = probe_stability(duration_s=0.0115, work=lambda: None, clock_ns=ticking(steps()))
    assert probe.drift_ratio == pytest.approx(0.3)
    assert probe_stability(duration_s=0.001).spin_count >= 30


def lost(root: Path) -> LostTime:
    return LostTime.read(root, tick_hz=100)


def test_time_lost_between_two_readings(make_root: MakeRoot) -> None:
    throttles = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    before = lost(
        make_root(
            "x86-avx2",
            {
                "proc/stat": "cpu  1000 0 0 9000 0 0 0 10 0 0\n",
                "proc/self/cgroup": "0::/box\n",
                "sys/fs/cgroup/box/cpu.stat": "usage_usec 5\nthrottled_usec 1000000\n",
                throttles: "4\n",
            },
        )
    )
    after = lost(
        make_root(
            "",
            {
                "proc/stat": "cpu  2900 0 0 9000 0 0 0 110 0 0\n",
                "sys/fs/cgroup/box/cpu.stat": "usage_usec 5\nthrottled_usec 1500000\n",
                throttles: "6\n",
            },
        )
    )
    # Ten seconds on two cores: 19 s of work of which 10 s are ours, 1 s stolen.
    found = lost_between(before, after, duration_s=10.0, own_cpu_s=10.0)
    assert found == LostShare(
        steal_share=0.05, others_cores=0.9, quota_pause_s=0.5, heat_throttle_count=2
    )
    assert list(lost_sentences(found, duration_s=10.0)) == [
        (
            "While it was measured, the hypervisor gave 5.0 % of the CPU time to other "
            "virtual machines."
        ),
        "While it was measured, other processes kept 0.9 cores busy on average.",
        "While it was measured, a control group paused its processes for 0.5 s in all.",
        "While it was measured, a core was throttled for heat 2 times.",
    ]


def test_the_first_version_of_control_groups_counts_in_nanoseconds(make_root: MakeRoot) -> None:
    root = make_root(
        "", {"sys/fs/cgroup/cpu/cpu.stat": "nr_periods 1\nthrottled_time 2500000000\n"}
    )
    assert lost(root).quota_pause_s == 2.5


def test_what_cannot_be_read_is_not_lost(tmp_path: Path) -> None:
    nothing = lost(tmp_path)
    found = lost_between(nothing, nothing, duration_s=1.0, own_cpu_s=0.0)
    assert found == LostShare(
        steal_share=None, others_cores=None, quota_pause_s=None, heat_throttle_count=None
    )
    assert list(lost_sentences(found, duration_s=1.0)) == []
    assert LostTime.read(tmp_path).tick_hz > 0


def test_processor_time_of_a_process_whatever_its_name(make_root: MakeRoot) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    text = f"42 (a) b ( c) R 1 42 42 0 -1 0 0 0 0 0 {2 * ticks} {ticks} 0 0 20 0 1 0 5\n"
    root = make_root("", {"proc/42/stat": text})
    assert process_cpu_s(42, root) == 3.0
    assert process_cpu_s(43, root) == 0.0


def test_a_watch_says_what_others_took_meanwhile(make_root: MakeRoot) -> None:
    hertz = os.sysconf("SC_CLK_TCK")
    root = make_root("x86-avx2", {"proc/stat": "cpu  0 0 0 0 0 0 0 0 0 0\n"})
    times, own = iter([0.0, 10.0]), iter([0.0, 9.0])
    with HostWatch(root, monotonic=lambda: next(times), own_cpu_s=lambda: next(own)) as watch:
        make_root("", {"proc/stat": f"cpu  {14 * hertz} 0 0 {6 * hertz} 0 0 0 0 0 0\n"})
    assert watch.sentences == (
        "While it was measured, other processes kept 0.5 cores busy on average.",
    )


def test_the_measurement_s_own_processor_time_is_not_others(make_root: MakeRoot) -> None:
    root = make_root("x86-avx2", {"proc/stat": "cpu  5 0 0 5 0 0 0 0 0 0\n"})
    with HostWatch(root) as watch:
        sum(range(1000))
    assert watch.sentences == ()
