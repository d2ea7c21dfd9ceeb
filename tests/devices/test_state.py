from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.devices import disturbances

MakeRoot = Callable[..., Path]
CPU = "sys/devices/system/cpu"


def test_a_quiet_machine_has_none(make_root: MakeRoot) -> None:
    quiet = {
        "proc/loadavg": "0.10 0.20 0.30 1/200 4242\n",
        "proc/stat": "cpu  1000 0 500 90000 10 0 5 0 0 0\ncpu0 1 2 3\n",
        "proc/self/cgroup": "0::/user.slice/build\n",
        "sys/fs/cgroup/user.slice/build/cpu.max": "max 100000\n",
        f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n",
        f"{CPU}/cpu0/cpufreq/scaling_max_freq": "3200000\n",
        f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "3200000\n",
        f"{CPU}/cpufreq/boost": "0\n",
        f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "0\n",
        "sys/class/thermal/cooling_device0/type": "Processor\n",
        "sys/class/thermal/cooling_device0/cur_state": "0\n",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
        "sys/class/power_supply/AC/type": "Mains\n",
        "sys/class/power_supply/BAT0/type": "Battery\n",
        "sys/class/power_supply/BAT0/status": "Charging\n",
    }
    assert disturbances(make_root("x86-avx2", quiet)) == ()


def test_missing_files_are_no_error(tmp_path: Path) -> None:
    assert disturbances(tmp_path) == ()


def test_garbage_is_no_error(make_root: MakeRoot) -> None:
    garbage = {
        "proc/loadavg": "busy",
        "proc/stat": "cpu  1 2\n",
        "sys/fs/cgroup/cpu.max": "lots",
        f"{CPU}/cpu0/cpufreq/scaling_max_freq": "fast",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "hot",
        "sys/class/thermal/cooling_device0/type": "Processor",
    }
    assert disturbances(make_root("x86-avx2", garbage)) == ()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"proc/loadavg": "1.01 0.5 0.4 1/200 4242\n"},
            "The load average of the last minute is 1.01 on 2 cores: other work competes for them.",
        ),
        (
            {"proc/stat": "cpu  500 0 0 450 0 0 0 50 400 0\n"},
            "The hypervisor gave 5.0 % of the CPU time since boot to other virtual machines.",
        ),
        (
            {
                "proc/self/cgroup": "0::/user.slice/build\n",
                "sys/fs/cgroup/user.slice/build/cpu.max": "max 100000\n",
                "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
            },
            (
                "A control group limits the process to the time of 1.5 cores: "
                "it is paused whenever that is used up."
            ),
        ),
        (
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            (
                "A control group limits the process to the time of 2 cores: "
                "it is paused whenever that is used up."
            ),
        ),
        (
            {
                f"{CPU}/cpu0/cpufreq/scaling_governor": "ondemand\n",
                f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave\n",
                f"{CPU}/cpu0/cpufreq/scaling_min_freq": "600000\n",
                f"{CPU}/cpu0/cpufreq/scaling_max_freq": "1500000\n",
            },
            (
                "The frequency governor is `ondemand` and `powersave`, not `performance`: "
                "the clock moves between 600 and 1500 MHz with the load."
            ),
        ),
        (
            {f"{CPU}/cpu0/cpufreq/scaling_governor": "schedutil\n"},
            (
                "The frequency governor is `schedutil`, not `performance`: "
                "the clock moves with the load."
            ),
        ),
        (
            {f"{CPU}/cpufreq/boost": "1\n"},
            "Turbo is on: the clock depends on temperature and on what the other cores do.",
        ),
        (
            {f"{CPU}/intel_pstate/no_turbo": "0\n"},
            "Turbo is on: the clock depends on temperature and on what the other cores do.",
        ),
        (
            {
                f"{CPU}/cpu0/cpufreq/scaling_max_freq": "1200000\n",
                f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
            },
            "The clock is capped at 1200 MHz of 1800 MHz.",
        ),
        (
            {f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "17\n"},
            "A core was throttled for heat 17 times since boot.",
        ),
        (
            {
                "sys/class/thermal/cooling_device0/type": "Fan\n",
                "sys/class/thermal/cooling_device0/cur_state": "3\n",
                "sys/class/thermal/cooling_device1/type": "cpufreq-cpu0\n",
                "sys/class/thermal/cooling_device1/cur_state": "2\n",
            },
            "The cooling device `cpufreq-cpu0` slows the CPU down at this moment.",
        ),
        (
            {
                "sys/class/power_supply/BAT0/type": "Battery\n",
                "sys/class/power_supply/BAT0/status": "Discharging\n",
            },
            "The machine runs on battery: its firmware may save power.",
        ),
    ],
)
def test_each_disturbance_is_one_sentence(
    make_root: MakeRoot, files: dict[str, str], sentence: str
) -> None:
    assert disturbances(make_root("x86-avx2", files)) == (sentence,)


def test_the_firmware_of_a_pi_reports_each_bit(make_root: MakeRoot) -> None:
    files = {"sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n"}
    assert disturbances(make_root("pi-4", files)) == (
        "The board's firmware reports that the supply voltage is too low.",
        "The board's firmware reports that the CPU is throttled.",
        "The board's firmware reports that the supply voltage has been too low since boot.",
        "The board's firmware reports that the CPU has been throttled since boot.",
    )


def test_the_battery_of_a_mouse_does_not_count(make_root: MakeRoot) -> None:
    files = {
        "sys/class/power_supply/mouse/type": "Battery\n",
        "sys/class/power_supply/mouse/status": "Discharging\n",
        "sys/class/power_supply/mouse/scope": "Device\n",
    }
    assert disturbances(make_root("x86-avx2", files)) == ()


def test_all_findings_come_in_a_fixed_order(make_root: MakeRoot) -> None:
    files = {
        "proc/loadavg": "9.00 5.0 4.0 1/200 4242\n",
        f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n",
        "sys/class/power_supply/BAT0/type": "Battery\n",
        "sys/class/power_supply/BAT0/status": "Discharging\n",
    }
    found = disturbances(make_root("x86-avx2", files))
    assert [sentence.split()[1] for sentence in found] == ["load", "frequency", "machine"]
