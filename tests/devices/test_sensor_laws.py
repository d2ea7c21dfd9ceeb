"""What holds of every sensor whatever its files hold: nothing is fatal, and no joule is lost."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.devices.counters import LostTime, process_cpu_s, quota_pause_s
from edgeworthy.devices.sensors import EnergyCounter, Gauge, Unreadable, find_sensors
from edgeworthy.measurement.energy import EnergyTotal, choose_meter
from sensor_trees import EVERYTHING

RANGE_UJ = 65_532_610_987
PACKAGE = "sys/class/powercap/intel-rapl:0"
COUNTS = {
    "proc/stat": "cpu  10 20 30 40 50 60 70 80 90 100\n",
    "proc/self/cgroup": "4:cpu,cpuacct:/a/b\n0::/a\n",
    "sys/fs/cgroup/a/cpu.stat": "throttled_usec 1500000\n",
    "sys/fs/cgroup/cpu/a/b/cpu.stat": "throttled_time 2500000000\n",
}


def write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


#: What a file may hold: itself, nothing at all, noise, or figures that mean nothing.
CONTENT = st.one_of(
    st.none(),
    st.binary(max_size=12),
    st.sampled_from([b"-1\n", b"1e9", b"nan", b"0x7\n", b"9" * 40, b"\0\0", b"1\n2\n", b" \n"]),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({*EVERYTHING, *COUNTS})), CONTENT, max_size=20))
def test_no_tree_is_fatal(changed: Mapping[str, bytes | None]) -> None:
    files = {name: text.encode() for name, text in {**EVERYTHING, **COUNTS}.items()}
    present = {name: changed.get(name, data) for name, data in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, {name: data for name, data in present.items() if data is not None})
        families = find_sensors(root)
        for family in families:
            assert all(problem.strip() for problem in family.problems)
            for channel in family.channels:
                if isinstance(channel, Gauge):
                    value = channel.read()
                    assert isinstance(value, Unreadable) or math.isfinite(value)
        meter = choose_meter(families)
        if not isinstance(meter, Unreadable):
            meter.read(0.0)
            meter.read(1.0)
            total = meter.total()
            assert isinstance(total, Unreadable) or math.isfinite(total.joules)
        counts = LostTime.read(root, tick_hz=100)
        assert counts.all_ticks is None or counts.all_ticks >= 0
        assert (quota_pause_s(root) or 0.0) >= 0.0
        assert process_cpu_s(1, root) == 0.0


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, RANGE_UJ - 1),
    st.lists(st.integers(0, RANGE_UJ - 1), min_size=1, max_size=12),
)
def test_a_counter_that_wraps_loses_no_joule(first_uj: int, drawn_uj: list[int]) -> None:
    """Whatever is drawn between two readings, less than the range, the sum is exact."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(
            root,
            {
                f"{PACKAGE}/name": b"package-0",
                f"{PACKAGE}/energy_uj": str(first_uj).encode(),
                f"{PACKAGE}/max_energy_range_uj": str(RANGE_UJ).encode(),
            },
        )
        (channel,) = find_sensors(root)[0].channels
        assert isinstance(channel, EnergyCounter)
        meter = choose_meter(find_sensors(root))
        assert not isinstance(meter, Unreadable)
        meter.read(0.0)
        count = first_uj
        for number, drawn in enumerate(drawn_uj):
            count = (count + drawn) % RANGE_UJ
            write(root, {f"{PACKAGE}/energy_uj": str(count).encode()})
            meter.read(1.0 + number)
        total = meter.total()
        assert isinstance(total, EnergyTotal)
        assert math.isclose(total.joules, sum(drawn_uj) / 1e6, rel_tol=1e-12, abs_tol=1e-9)


def test_quotas_of_either_version_are_read_for_any_process() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, {name: text.encode() for name, text in COUNTS.items()})
        assert quota_pause_s(root) == 1.5
        (root / "sys/fs/cgroup/a/cpu.stat").unlink()
        assert quota_pause_s(root) == 2.5
        write(root, {"proc/77/cgroup": b"4:cpu,cpuacct:/a/b\n"})
        assert quota_pause_s(root, "77") == 2.5
        assert quota_pause_s(root, "78") is None
