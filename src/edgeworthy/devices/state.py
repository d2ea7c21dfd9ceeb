"""What makes a machine less than quiet while something is measured on it.

Rules:

1. Each finding is one plain sentence with its figure, and says what the owner can do about it;
   the measurement carries the sentences along.
2. A file that is missing or unreadable says nothing; it is no error.
3. Nothing is changed: governors and clocks are the owner's.
4. A problem is what distorts figures at this moment, so that they would not be believed; a note is
   what makes them less sure.

Sources: Linux, ``Documentation/admin-guide/pm/cpufreq.rst``, ``.../cgroup-v2.rst``,
``Documentation/ABI/testing/sysfs-class-power`` and ``man 5 proc``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.groups import control_groups
from edgeworthy.devices.host import read_text
from edgeworthy.devices.sensors.pi_firmware import pi_findings
from edgeworthy.documents.host_state import HostFinding, Severity

_BUSY_SHARE = 0.5
_OVERLOADED_SHARE = 1.0
_STEAL_SHARE = 0.01
_CPU = "sys/devices/system/cpu"
_STEAL_COLUMN = 7
_GUEST_COLUMN = 8
_KHZ_PER_MHZ = 1000
_PI_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


def disturbances(root: Path = Path("/")) -> tuple[str, ...]:
    """What makes the machine less than quiet, one sentence each; empty when nothing does.

    Args:
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
    """
    return tuple(finding.sentence for finding in host_findings(root))


def host_findings(root: Path = Path("/")) -> tuple[HostFinding, ...]:
    """What makes the machine less than quiet, with what to do about it.

    Args:
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
    """
    checks = (_load, _steal, _quota, _governor, _clock, _throttling, _board, _battery)
    return tuple(finding for check in checks for finding in check(root))


def load_average(root: Path = Path("/")) -> float | None:
    """Processes that ran or waited, on average over the last minute.

    Args:
        root: Where ``proc`` hangs; another tree than ``/`` in tests.
    """
    found = re.match(r"(\d+\.\d+) ", read_text(root / "proc/loadavg"))
    return float(found[1]) if found else None


def governors(root: Path = Path("/")) -> tuple[str, ...]:
    """Frequency governors of the cores, each once.

    Args:
        root: Where ``sys`` hangs; another tree than ``/`` in tests.
    """
    paths = (root / _CPU).glob("cpu[0-9]*/cpufreq/scaling_governor")
    return tuple(sorted({read_text(path) for path in paths} - {""}))


def _finding(name: str, severity: Severity, sentence: str, next_step: str) -> HostFinding:
    return HostFinding(name=name, severity=severity, sentence=sentence, next_step=next_step)


def _load(root: Path) -> Iterator[HostFinding]:
    load = load_average(root)
    cores = len(re.findall(r"^processor\s*:", read_text(root / "proc/cpuinfo"), re.MULTILINE))
    if load is not None and cores and load > _BUSY_SHARE * cores:
        yield _finding(
            "load",
            "problem" if load > _OVERLOADED_SHARE * cores else "note",
            f"The load average of the last minute is {load:.2f} on {cores} cores: "
            "other work competes for them.",
            "End other work, wait a minute and look again",
        )


def _steal(root: Path) -> Iterator[HostFinding]:
    found = re.match(r"cpu\s+([\d ]+)", read_text(root / "proc/stat"))
    ticks = [int(figure) for figure in found[1].split()] if found else []
    if len(ticks) <= _STEAL_COLUMN:
        return
    # Guest time is counted in user time already.
    share = ticks[_STEAL_COLUMN] / max(1, sum(ticks[:_GUEST_COLUMN]))
    if share > _STEAL_SHARE:
        yield _finding(
            "steal",
            "note",
            f"The hypervisor gave {100 * share:.1f} % of the CPU time since boot to other "
            "virtual machines.",
            "Use a machine with cores of its own, or measure at a quieter hour",
        )


def _quota(root: Path) -> Iterator[HostFinding]:
    for group in control_groups(root):
        quota, _, period = read_text(group / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            yield _quota_finding(int(quota) / int(period))
            return
    old = root / "sys/fs/cgroup/cpu"
    quota_us = read_text(old / "cpu.cfs_quota_us")
    period_us = read_text(old / "cpu.cfs_period_us")
    if quota_us.isdecimal() and period_us.isdecimal() and int(period_us):
        yield _quota_finding(int(quota_us) / int(period_us))


def _quota_finding(cores: float) -> HostFinding:
    return _finding(
        "quota",
        "note" if cores >= 1 else "problem",
        f"A control group limits the process to the time of {cores:g} cores: "
        "it is paused whenever that is used up.",
        "Pin the container to whole cores (`--cpuset-cpus`) instead of a share of time",
    )


def _governor(root: Path) -> Iterator[HostFinding]:
    slow = [name for name in governors(root) if name != "performance"]
    if slow:
        low, high = _clock_limits(root)
        between = f" between {low:.0f} and {high:.0f} MHz" if 0 < low < high else ""
        yield _finding(
            "governor",
            "note",
            f"The frequency governor is {_quoted(slow)}, not `performance`: the clock moves"
            f"{between} with the load.",
            "`sudo cpupower frequency-set -g performance`, unless the device will run like this",
        )


def _clock_limits(root: Path) -> tuple[float, float]:
    lows = _figures(root, "cpu[0-9]*/cpufreq/scaling_min_freq")
    highs = _figures(root, "cpu[0-9]*/cpufreq/scaling_max_freq")
    return min(lows, default=0) / _KHZ_PER_MHZ, max(highs, default=0) / _KHZ_PER_MHZ


def _clock(root: Path) -> Iterator[HostFinding]:
    boost = read_text(root / _CPU / "cpufreq/boost")
    no_turbo = read_text(root / _CPU / "intel_pstate/no_turbo")
    if boost == "1" or no_turbo == "0":
        path = "cpufreq/boost" if boost == "1" else "intel_pstate/no_turbo"
        yield _finding(
            "turbo",
            "note",
            "Turbo is on: the clock depends on temperature and on what the other cores do.",
            f"Switch it off for the measurement in /{_CPU}/{path}",
        )
    allowed = max(_figures(root, "cpu[0-9]*/cpufreq/scaling_max_freq"), default=0)
    possible = max(_figures(root, "cpu[0-9]*/cpufreq/cpuinfo_max_freq"), default=0)
    if 0 < allowed < possible:
        yield _finding(
            "clock-cap",
            "note",
            f"The clock is capped at {allowed / _KHZ_PER_MHZ:.0f} MHz of "
            f"{possible / _KHZ_PER_MHZ:.0f} MHz.",
            "Raise `scaling_max_freq`, unless the device will run like this",
        )


def _throttling(root: Path) -> Iterator[HostFinding]:
    count = max(_figures(root, "cpu[0-9]*/thermal_throttle/core_throttle_count"), default=0)
    if count:
        yield _finding(
            "heat-since-boot",
            "note",
            f"A core was throttled for heat {count} times since boot.",
            "See to the cooling; a sustained run shows whether it happens under this load",
        )
    for device in sorted((root / "sys/class/thermal").glob("cooling_device*")):
        kind = read_text(device / "type")
        state = read_text(device / "cur_state")
        if kind.lower().startswith(("cpufreq", "processor", "thermal-cpufreq")) and (
            state.isdecimal() and int(state)
        ):
            yield _finding(
                "cooling",
                "problem",
                f"The cooling device `{kind}` slows the CPU down at this moment.",
                "Let the machine cool down, or cool it better",
            )
            return


def _board(root: Path) -> Iterator[HostFinding]:
    text = read_text(root / _PI_THROTTLED)
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]+", text):
        return
    word = int(text, 16)
    for now in (True, False):
        for clause in pi_findings(word, now=now):
            yield _finding(
                "board",
                "problem" if now else "note",
                f"The board's firmware reports that {clause}.",
                "Use a stronger power supply and a shorter cable"
                if "voltage" in clause
                else "Cool the board better",
            )


def _battery(root: Path) -> Iterator[HostFinding]:
    for supply in sorted((root / "sys/class/power_supply").glob("*")):
        kind, status = read_text(supply / "type"), read_text(supply / "status")
        if kind == "Battery" and status == "Discharging" and _is_system(supply):
            yield _finding(
                "battery",
                "note",
                "The machine runs on battery: its firmware may save power.",
                "Plug it in, unless energy is what you measure",
            )
            return


def _is_system(supply: Path) -> bool:
    # A wireless mouse has a battery too; it says so in `scope`.
    return read_text(supply / "scope") != "Device"


def _figures(root: Path, pattern: str) -> list[int]:
    texts = (read_text(path) for path in sorted((root / _CPU).glob(pattern)))
    return [int(text) for text in texts if text.isdecimal()]


def _quoted(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
