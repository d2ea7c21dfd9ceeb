"""What makes a machine less than quiet while something is measured on it.

Rules:

1. Each finding is one plain sentence with its figure; the measurement carries them along.
2. A file that is missing or unreadable says nothing; it is no error.
3. Nothing is changed: governors and clocks are the owner's.

Sources: Linux, ``Documentation/admin-guide/pm/cpufreq.rst``, ``.../cgroup-v2.rst``,
``Documentation/ABI/testing/sysfs-class-power`` and ``man 5 proc``; Raspberry Pi, documentation of
``vcgencmd get_throttled``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.host import read_text

_BUSY_SHARE = 0.5
_STEAL_SHARE = 0.01
_CPU = "sys/devices/system/cpu"
_STEAL_COLUMN = 7
_GUEST_COLUMN = 8
_KHZ_PER_MHZ = 1000
_PI_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_PI_BITS = {
    0: "the supply voltage is too low",
    1: "the clock is capped",
    2: "the CPU is throttled",
    3: "the soft temperature limit is active",
    16: "the supply voltage has been too low since boot",
    17: "the clock has been capped since boot",
    18: "the CPU has been throttled since boot",
    19: "the soft temperature limit has been reached since boot",
}


def disturbances(root: Path = Path("/")) -> tuple[str, ...]:
    """What makes the machine less than quiet, one sentence each; empty when nothing does.

    Args:
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
    """
    findings = (_load, _steal, _quota, _governor, _clock, _throttling, _board, _battery)
    return tuple(sentence for finding in findings for sentence in finding(root))


def _load(root: Path) -> Iterator[str]:
    found = re.match(r"(\d+\.\d+) ", read_text(root / "proc/loadavg"))
    cores = len(re.findall(r"^processor\s*:", read_text(root / "proc/cpuinfo"), re.MULTILINE))
    if found and cores and float(found[1]) > _BUSY_SHARE * cores:
        yield (
            f"The load average of the last minute is {found[1]} on {cores} cores: "
            "other work competes for them."
        )


def _steal(root: Path) -> Iterator[str]:
    found = re.match(r"cpu\s+([\d ]+)", read_text(root / "proc/stat"))
    ticks = [int(figure) for figure in found[1].split()] if found else []
    if len(ticks) <= _STEAL_COLUMN:
        return
    # Guest time is counted in user time already.
    share = ticks[_STEAL_COLUMN] / max(1, sum(ticks[:_GUEST_COLUMN]))
    if share > _STEAL_SHARE:
        yield (
            f"The hypervisor gave {100 * share:.1f} % of the CPU time since boot to other "
            "virtual machines."
        )


def _quota(root: Path) -> Iterator[str]:
    for group in _cgroups(root):
        quota, _, period = read_text(group / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield _quota_sentence(int(quota) / int(period))
            return
    old = root / "sys/fs/cgroup/cpu"
    quota_us = read_text(old / "cpu.cfs_quota_us")
    period_us = read_text(old / "cpu.cfs_period_us")
    if quota_us.isdecimal() and period_us.isdecimal() and int(period_us):
        yield _quota_sentence(int(quota_us) / int(period_us))


def _quota_sentence(cores: float) -> str:
    return (
        f"A control group limits the process to the time of {cores:g} cores: "
        "it is paused whenever that is used up."
    )


def _cgroups(root: Path) -> Iterator[Path]:
    """The control group of this process, then its ancestors."""
    mount = root / "sys/fs/cgroup"
    found = re.search(r"^0::/(.*)$", read_text(root / "proc/self/cgroup"), re.MULTILINE)
    parts = [part for part in (found[1].split("/") if found else []) if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])


def _governor(root: Path) -> Iterator[str]:
    governors = {
        read_text(path) for path in (root / _CPU).glob("cpu[0-9]*/cpufreq/scaling_governor")
    }
    slow = sorted(governors - {"", "performance"})
    if slow:
        low, high = _clock_limits(root)
        between = f" between {low:.0f} and {high:.0f} MHz" if 0 < low < high else ""
        yield (
            f"The frequency governor is {_quoted(slow)}, not `performance`: the clock moves"
            f"{between} with the load."
        )


def _clock_limits(root: Path) -> tuple[float, float]:
    lows = _figures(root, "cpu[0-9]*/cpufreq/scaling_min_freq")
    highs = _figures(root, "cpu[0-9]*/cpufreq/scaling_max_freq")
    return min(lows, default=0) / _KHZ_PER_MHZ, max(highs, default=0) / _KHZ_PER_MHZ


def _clock(root: Path) -> Iterator[str]:
    boost = read_text(root / _CPU / "cpufreq/boost")
    no_turbo = read_text(root / _CPU / "intel_pstate/no_turbo")
    if boost == "1" or no_turbo == "0":
        yield "Turbo is on: the clock depends on temperature and on what the other cores do."
    allowed = max(_figures(root, "cpu[0-9]*/cpufreq/scaling_max_freq"), default=0)
    possible = max(_figures(root, "cpu[0-9]*/cpufreq/cpuinfo_max_freq"), default=0)
    if 0 < allowed < possible:
        yield (
            f"The clock is capped at {allowed / _KHZ_PER_MHZ:.0f} MHz of "
            f"{possible / _KHZ_PER_MHZ:.0f} MHz."
        )


def _throttling(root: Path) -> Iterator[str]:
    count = max(_figures(root, "cpu[0-9]*/thermal_throttle/core_throttle_count"), default=0)
    if count:
        yield f"A core was throttled for heat {count} times since boot."
    for device in sorted((root / "sys/class/thermal").glob("cooling_device*")):
        kind = read_text(device / "type")
        state = read_text(device / "cur_state")
        if kind.lower().startswith(("cpufreq", "processor", "thermal-cpufreq")) and (
            state.isdecimal() and int(state)
        ):
            yield f"The cooling device `{kind}` slows the CPU down at this moment."
            return


def _board(root: Path) -> Iterator[str]:
    text = read_text(root / _PI_THROTTLED)
    if re.fullmatch(r"(0x)?[0-9a-fA-F]+", text):
        word = int(text, 16)
        for bit, sentence in _PI_BITS.items():
            if word >> bit & 1:
                yield f"The board's firmware reports that {sentence}."


def _battery(root: Path) -> Iterator[str]:
    for supply in sorted((root / "sys/class/power_supply").glob("*")):
        kind, status = read_text(supply / "type"), read_text(supply / "status")
        if kind == "Battery" and status == "Discharging" and _is_system(supply):
            yield "The machine runs on battery: its firmware may save power."
            return


def _is_system(supply: Path) -> bool:
    # A wireless mouse has a battery too; it says so in `scope`.
    return read_text(supply / "scope") != "Device"


def _figures(root: Path, pattern: str) -> list[int]:
    texts = (read_text(path) for path in sorted((root / _CPU).glob(pattern)))
    return [int(text) for text in texts if text.isdecimal()]


def _quoted(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
