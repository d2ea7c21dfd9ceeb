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


def control_groups(root: Path) -> Iterator[Path]:
    """Folders of the control group of this process, then of its ancestors.

    Args:
        root: Where ``proc`` and ``sys`` hang.
    """
    mount = root / "sys/fs/cgroup"
    found = re.search(r"^0::/(.*)$", read_text(root / "proc/self/cgroup"), re.MULTILINE)
    parts = [part for part in (found[1].split("/") if found else []) if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])
