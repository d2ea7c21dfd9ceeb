"""The control groups that this process is in.

Rules:

1. Innermost first: the first group with a limit is the one that bites.

Source: Linux, ``Documentation/admin-guide/cgroup-v2.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.host import read_text


def control_groups(root: Path, process: str = "self") -> Iterator[Path]:
    """Folders of the control group of a process, then of its ancestors.

    Args:
        root: Where ``proc`` and ``sys`` hang.
        process: Its number; this one when left out.
    """
    groups = read_text(root / f"proc/{process}/cgroup")
    yield from _folders(root / "sys/fs/cgroup", r"^0::/(.*)$", groups)


def old_cpu_groups(root: Path, process: str = "self") -> Iterator[Path]:
    """The same for the processor's controller of the first version of control groups.

    Args:
        root: Where ``proc`` and ``sys`` hang.
        process: Its number; this one when left out.
    """
    groups = read_text(root / f"proc/{process}/cgroup")
    pattern = r"^\d+:(?:[^:\n]*,)?cpu(?:,[^:\n]*)?:/(.*)$"
    yield from _folders(root / "sys/fs/cgroup/cpu", pattern, groups)


def _folders(mount: Path, pattern: str, groups: str) -> Iterator[Path]:
    found = re.search(pattern, groups, re.MULTILINE)
    parts = [part for part in (found[1].split("/") if found else []) if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])
