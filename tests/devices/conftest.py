"""Recorded machines as small trees of /proc and /sys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

_X86_FLAGS = "fpu vme de pse tsc msr sse sse2 ht syscall ssse3 fma sse4_1 sse4_2 avx f16c avx2"
_PI_4 = """\
processor\t: {index}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""
_PI_5 = """\
processor\t: {index}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm \
lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1
"""


def _x86(index: int, model: str, flags: str) -> str:
    return (
        f"processor\t: {index}\nvendor_id\t: GenuineIntel\nmodel name\t: {model}\n"
        f"flags\t\t: {flags}\nbugs\t\t: spectre_v1\n"
    )


MACHINES: Mapping[str, Mapping[str, str]] = {
    "x86-vnni": {
        "proc/cpuinfo": "\n".join(
            _x86(index, "Intel(R) Core(TM) i5-1240P", f"{_X86_FLAGS} avx_vnni")
            for index in range(4)
        ),
        "proc/meminfo": "MemTotal:       16106956 kB\nMemFree:         1000000 kB\n",
    },
    "x86-avx2": {
        "proc/cpuinfo": "\n".join(
            _x86(index, "Intel(R) Core(TM) i5-6500 CPU @ 3.20GHz", _X86_FLAGS) for index in range(2)
        ),
        "proc/meminfo": "MemTotal:        8048676 kB\n",
    },
    "pi-4": {
        "proc/cpuinfo": "\n".join(_PI_4.format(index=index) for index in range(4))
        + "\nRevision\t: c03114\nSerial\t\t: 0\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
        "proc/meminfo": "MemTotal:        3885396 kB\n",
    },
    "pi-5": {
        "proc/cpuinfo": "\n".join(_PI_5.format(index=index) for index in range(4)),
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/meminfo": "MemTotal:        8254304 kB\n",
    },
}

MakeRoot = Callable[..., Path]


@pytest.fixture
def make_root(tmp_path: Path) -> MakeRoot:
    """Build a tree from a recorded machine and further files by path."""

    def make(machine: str = "", files: Mapping[str, str] | None = None) -> Path:
        content = {**MACHINES.get(machine, {}), **(files or {})}
        for name, text in content.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "root"

    return make
