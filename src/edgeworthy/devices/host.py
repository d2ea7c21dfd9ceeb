"""What the machine at hand is.

Rules:

1. What the kernel says is read, nothing is probed by running it.
2. On a machine with unlike cores only what all of them can do counts.
3. What cannot be read is left empty or 0; it is no error.
4. On a 64-bit Arm CPU the flags are those that the kernel tells the process itself, which engines
   go by; ``/proc/cpuinfo`` speaks where it tells none.

Source: Linux, ``man 5 proc``; Arm's part numbers from the Main ID registers of its technical
reference manuals.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edgeworthy.devices.capabilities import arm64_flags
from edgeworthy.devices.instructions import ARITHMETIC_FLAGS, ARM_64, instruction_set
from edgeworthy.documents.device import HostFingerprint

_KIB = 1024
_LARGEST_OF_64_BITS = (1 << 63) - 1
_ARM_IMPLEMENTER = "0x41"
_ARM_CORES = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xc09": "Cortex-A9",
    "0xc0f": "Cortex-A15",
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd42": "Cortex-A78AE",
    "0xd49": "Neoverse-N2",
}


@dataclass(frozen=True)
class HostSoftware:
    """What the running process knows of itself.

    Attributes:
        architecture: As ``platform.machine()`` says.
        operating_system: Name and kernel release.
        python_version: For example ``3.11.7``.
        usable_core_count: Logical processors that the process may run on.
    """

    architecture: str
    operating_system: str
    python_version: str
    usable_core_count: int

    @classmethod
    def current(cls) -> Self:
        """Of this process."""
        return cls(
            architecture=platform.machine(),
            operating_system=f"{platform.system()} {platform.release()}",
            python_version=platform.python_version(),
            usable_core_count=len(os.sched_getaffinity(0)),
        )


def host_fingerprint(
    *,
    runtime_versions: Sequence[str],
    root: Path = Path("/"),
    software: HostSoftware | None = None,
) -> HostFingerprint:
    """The machine and software that figures are taken on.

    Args:
        runtime_versions: Engines, as ``name version``.
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
        software: What the process knows of itself; found out when left out.
    """
    software = software or HostSoftware.current()
    processors = _processors(read_text(root / "proc/cpuinfo"))
    flags = _own_flags(software.architecture, root) or _common_flags(processors)
    return HostFingerprint(
        architecture=software.architecture,
        instruction_set=instruction_set(software.architecture, flags),
        cpu_model=_cpu_model(processors, root) or software.architecture,
        cpu_flags=tuple(sorted(flags & ARITHMETIC_FLAGS)),
        core_count=software.usable_core_count,
        memory_bytes=_memory_bytes(read_text(root / "proc/meminfo")),
        operating_system=software.operating_system,
        python_version=software.python_version,
        runtimes=tuple(sorted(runtime_versions)),
    )


def _own_flags(architecture: str, root: Path) -> frozenset[str]:
    # The bits of a 32-bit process mean other things, even on a 64-bit kernel.
    if architecture.lower() not in ARM_64 or sys.maxsize < _LARGEST_OF_64_BITS:
        return frozenset()
    try:
        return arm64_flags((root / "proc/self/auxv").read_bytes())
    except OSError:
        return frozenset()


def read_text(path: Path) -> str:
    """The content of a small file of the kernel's; empty when there is none or it refuses."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _processors(cpuinfo: str) -> list[dict[str, str]]:
    """One mapping per paragraph of ``/proc/cpuinfo``; the last may describe the board."""
    blocks = [
        {
            key.strip(): value.strip()
            for key, colon, value in (line.partition(":") for line in block.splitlines())
            if colon
        }
        for block in re.split(r"\n\s*\n", cpuinfo)
    ]
    return [block for block in blocks if block]


def _common_flags(processors: list[dict[str, str]]) -> frozenset[str]:
    listed = [
        frozenset((block.get("flags") or block["Features"]).split())
        for block in processors
        if "flags" in block or "Features" in block
    ]
    return frozenset.intersection(*listed) if listed else frozenset()


def _cpu_model(processors: list[dict[str, str]], root: Path) -> str:
    merged: dict[str, str] = {}
    for block in processors:
        merged |= block
    board = merged.get("Model") or read_text(root / "proc/device-tree/model")
    cores = sorted(
        {
            _ARM_CORES.get(block["CPU part"], "")
            for block in processors
            if block.get("CPU implementer") == _ARM_IMPLEMENTER and "CPU part" in block
        }
        - {""}
    )
    name = board or merged.get("model name", "")
    if not cores:
        return name
    return f"{name} ({', '.join(cores)})" if name else ", ".join(cores)


def _memory_bytes(meminfo: str) -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * _KIB if found else 0
