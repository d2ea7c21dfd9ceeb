"""Groups of processors that are worth choosing between.

Rules:

1. Only processors that this process may use count.
2. Cores of unlike speed are told by the capacity that the kernel gives them, else by their highest
   clock. Two threads of one core are told by its list of siblings.
3. Each group is named once, the largest first: all, one thread per core, each class of cores, one
   core of the fastest class.

Source: Linux, ``Documentation/admin-guide/cputopology.rst`` and ``Documentation/ABI/testing/
sysfs-devices-system-cpu``.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from edgeworthy.devices.host import read_text

_SPEED_FILES = ("cpu_capacity", "cpufreq/cpuinfo_max_freq")


def processor_groups(
    root: Path = Path("/"), *, usable: Sequence[int] | None = None
) -> tuple[tuple[int, ...], ...]:
    """Groups of logical processors, without repetition.

    Args:
        root: Where ``sys`` hangs; another tree than ``/`` in tests.
        usable: Processors that may be used; those of this process when left out.
    """
    every = tuple(sorted(os.sched_getaffinity(0) if usable is None else usable))
    classes: dict[int, list[int]] = defaultdict(list)
    for processor in every:
        classes[_speed(root, processor)].append(processor)
    fastest = classes[max(classes)] if classes else []
    groups = [
        every,
        tuple(each for each in every if _leads(root, each, every)),
        *(tuple(classes[speed]) for speed in sorted(classes, reverse=True)),
        tuple(fastest[:1]),
    ]
    return tuple(dict.fromkeys(group for group in groups if group))


def _speed(root: Path, processor: int) -> int:
    """How fast a processor may be, against the others; 0 when nothing tells."""
    for name in _SPEED_FILES:
        text = read_text(root / f"sys/devices/system/cpu/cpu{processor}/{name}").strip()
        if text.isdecimal():
            return int(text)
    return 0


def _leads(root: Path, processor: int, usable: Sequence[int]) -> bool:
    """Whether it is the first usable thread of its core."""
    path = root / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    siblings = [each for each in _listed(read_text(path)) if each in usable]
    return not siblings or processor == min(siblings)


def _listed(text: str) -> list[int]:
    """The numbers of a list such as ``0-3,8``.

    >>> _listed("0-2,8"), _listed("nonsense")
    ([0, 1, 2, 8], [])
    """
    found: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found += range(int(first), int(last or first) + 1)
    return found
