"""Counts that the kernel keeps of lost time, and what they say about a stretch of time.

Rules:

1. A count since boot says little about now: two readings and their difference do.
2. What cannot be read is absent; it is no error.
3. Only what the process did not do itself counts as others' work.

Source: Linux, ``man 5 proc`` (``/proc/stat``), ``Documentation/admin-guide/cgroup-v2.rst``
(``cpu.stat``), ``Documentation/accounting/psi.rst``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edgeworthy.devices.groups import control_groups, old_cpu_groups
from edgeworthy.devices.host import read_text
from edgeworthy.devices.sensors import FAMILIES, Gauge

_IDLE_COLUMNS = (3, 4)
_STEAL_COLUMN = 7
_GUEST_COLUMN = 8
_NANOSECONDS = 1_000_000_000
_MICROSECONDS = 1_000_000
#: Places in ``/proc/PID/stat`` after the name.
_USER_TIME_FIELD, _SYSTEM_TIME_FIELD = 11, 12
#: Less than this is what every machine loses.
_STEAL_SHARE = 0.01
_OTHERS_CORES = 0.1
_PAUSE_SHARE = 0.01


@dataclass(frozen=True)
class LostTime:
    """Counts at one moment; what is not known is ``None``.

    Attributes:
        all_ticks: Time of all cores together, in ticks.
        busy_ticks: Of it, time in which they worked for this machine.
        steal_ticks: Of it, time that the hypervisor gave to others.
        tick_hz: Ticks in a second.
        quota_pause_s: Time for which a control group paused its processes.
        heat_throttle_count: Times that the hottest core was slowed down.
    """

    all_ticks: int | None
    busy_ticks: int | None
    steal_ticks: int | None
    tick_hz: int
    quota_pause_s: float | None
    heat_throttle_count: int | None

    @classmethod
    def read(cls, root: Path = Path("/"), *, tick_hz: int | None = None) -> Self:
        """The counts now.

        Args:
            root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
            tick_hz: Ticks in a second; asked of the system when left out.
        """
        found = re.match(r"cpu\s+([\d ]+)", read_text(root / "proc/stat"))
        ticks = [int(figure) for figure in found[1].split()] if found else []
        known = len(ticks) > _STEAL_COLUMN
        # Guest time is counted in user time already.
        total = sum(ticks[:_GUEST_COLUMN])
        idle = sum(ticks[column] for column in _IDLE_COLUMNS) if known else 0
        steal = ticks[_STEAL_COLUMN] if known else 0
        return cls(
            all_ticks=total if known else None,
            busy_ticks=total - idle - steal if known else None,
            steal_ticks=steal if known else None,
            tick_hz=tick_hz or os.sysconf("SC_CLK_TCK"),
            quota_pause_s=quota_pause_s(root),
            heat_throttle_count=_heat_throttle_count(root),
        )


@dataclass(frozen=True)
class LostShare:
    """What was lost between two readings; what is not known is ``None``.

    Attributes:
        steal_share: Share of the time of all cores that went to other virtual machines.
        others_cores: Mean number of cores that worked for other processes.
        quota_pause_s: Time for which a control group paused its processes.
        heat_throttle_count: Times that the hottest core was slowed down.
    """

    steal_share: float | None
    others_cores: float | None
    quota_pause_s: float | None
    heat_throttle_count: int | None


def lost_between(
    before: LostTime, after: LostTime, *, duration_s: float, own_cpu_s: float
) -> LostShare:
    """What was lost between two readings.

    Args:
        before: The first.
        after: The second.
        duration_s: Time between them.
        own_cpu_s: Processor time that the measurement itself used meanwhile.
    """
    spent = _difference(before.all_ticks, after.all_ticks)
    steal = _difference(before.steal_ticks, after.steal_ticks)
    busy = _difference(before.busy_ticks, after.busy_ticks)
    others = None
    if busy is not None and duration_s > 0:
        others = max(busy / after.tick_hz - own_cpu_s, 0.0) / duration_s
    pause_s = None
    if before.quota_pause_s is not None and after.quota_pause_s is not None:
        pause_s = after.quota_pause_s - before.quota_pause_s
    return LostShare(
        steal_share=steal / spent if steal is not None and spent else None,
        others_cores=others,
        quota_pause_s=pause_s,
        heat_throttle_count=_difference(before.heat_throttle_count, after.heat_throttle_count),
    )


def lost_sentences(lost: LostShare, *, duration_s: float) -> Iterator[str]:
    """What was lost, one sentence each; nothing where too little was lost to matter.

    Args:
        lost: Between two readings.
        duration_s: Time between them.
    """
    if lost.steal_share is not None and lost.steal_share > _STEAL_SHARE:
        yield (
            f"While it was measured, the hypervisor gave {100 * lost.steal_share:.1f} % of the "
            "CPU time to other virtual machines."
        )
    if lost.others_cores is not None and lost.others_cores > _OTHERS_CORES:
        yield (
            f"While it was measured, other processes kept {lost.others_cores:.1f} cores busy "
            "on average."
        )
    if lost.quota_pause_s is not None and lost.quota_pause_s > _PAUSE_SHARE * duration_s:
        yield (
            "While it was measured, a control group paused its processes for "
            f"{lost.quota_pause_s:.1f} s in all."
        )
    if lost.heat_throttle_count:
        yield (
            "While it was measured, a core was throttled for heat "
            f"{lost.heat_throttle_count} times."
        )


def process_cpu_s(process_id: int, root: Path = Path("/")) -> float:
    """Processor time of a process so far; 0 when it is gone.

    Args:
        process_id: The operating system's number of it.
        root: Where ``proc`` hangs; another tree than ``/`` in tests.
    """
    # The name of the program stands in brackets and may hold anything.
    fields = read_text(root / f"proc/{process_id}/stat").rpartition(")")[2].split()
    if len(fields) <= _SYSTEM_TIME_FIELD:
        return 0.0
    ticks = int(fields[_USER_TIME_FIELD]) + int(fields[_SYSTEM_TIME_FIELD])
    return ticks / os.sysconf("SC_CLK_TCK")


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def quota_pause_s(root: Path = Path("/"), process: str = "self") -> float | None:
    """Time for which a control group paused a process so far; absent where none has a quota.

    Args:
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
        process: Its number; this one when left out.
    """
    for group in control_groups(root, process):
        found = re.search(r"^throttled_usec (\d+)$", read_text(group / "cpu.stat"), re.MULTILINE)
        if found:
            return int(found[1]) / _MICROSECONDS
    for group in old_cpu_groups(root, process):
        found = re.search(r"^throttled_time (\d+)$", read_text(group / "cpu.stat"), re.MULTILINE)
        if found:
            return int(found[1]) / _NANOSECONDS
    return None


def _heat_throttle_count(root: Path) -> int | None:
    family = next(each for each in FAMILIES if each.name == "heat-throttles")
    for channel in family.find(root).channels:
        value = channel.read() if isinstance(channel, Gauge) else None
        if isinstance(value, float):
            return int(value)
    return None
