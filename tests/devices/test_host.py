from __future__ import annotations

import os
import platform
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.devices import HostSoftware, host_fingerprint

MakeRoot = Callable[..., Path]


def _software(architecture: str) -> HostSoftware:
    return HostSoftware(
        architecture=architecture,
        operating_system="Linux 6.6.31",
        python_version="3.11.7",
        usable_core_count=3,
    )


@pytest.mark.parametrize(
    ("machine", "architecture", "instructions", "model", "memory_bytes"),
    [
        ("x86-vnni", "x86_64", "x86-vnni", "Intel(R) Core(TM) i5-1240P", 16106956 * 1024),
        (
            "x86-avx2",
            "x86_64",
            "x86-avx2",
            "Intel(R) Core(TM) i5-6500 CPU @ 3.20GHz",
            8048676 * 1024,
        ),
        (
            "pi-4",
            "aarch64",
            "arm-neon",
            "Raspberry Pi 4 Model B Rev 1.4 (Cortex-A72)",
            3885396 * 1024,
        ),
        (
            "pi-5",
            "aarch64",
            "arm-dotprod",
            "Raspberry Pi 5 Model B Rev 1.0 (Cortex-A76)",
            8254304 * 1024,
        ),
    ],
)
def test_recorded_machines_are_told_apart_by_their_flags(
    make_root: MakeRoot,
    machine: str,
    architecture: str,
    instructions: str,
    model: str,
    memory_bytes: int,
) -> None:
    host = host_fingerprint(
        runtime_versions=("openvino 2026.1", "onnxruntime 1.32.0"),
        root=make_root(machine),
        software=_software(architecture),
    )
    assert host.instruction_set == instructions
    assert host.cpu_model == model
    assert host.memory_bytes == memory_bytes
    assert host.core_count == 3
    assert host.runtimes == ("onnxruntime 1.32.0", "openvino 2026.1")


def test_only_flags_of_arithmetic_are_kept_sorted(make_root: MakeRoot) -> None:
    host = host_fingerprint(
        runtime_versions=(), root=make_root("pi-5"), software=_software("aarch64")
    )
    assert host.cpu_flags == ("asimd", "asimddp", "asimdhp", "asimdrdm", "fphp")


def test_the_name_of_the_cpu_says_nothing(make_root: MakeRoot) -> None:
    # A hypervisor that hides VNNI on a CPU whose name promises it.
    cpuinfo = "processor\t: 0\nmodel name\t: Intel Xeon VNNI Edition\nflags\t: avx avx2\n"
    host = host_fingerprint(
        runtime_versions=(),
        root=make_root(files={"proc/cpuinfo": cpuinfo}),
        software=_software("x86_64"),
    )
    assert host.instruction_set == "x86-avx2"


def test_unlike_cores_have_in_common_what_all_can_do(make_root: MakeRoot) -> None:
    cpuinfo = (
        "processor\t: 0\nFeatures\t: asimd asimddp\nCPU implementer\t: 0x41\n"
        "CPU part\t: 0xd0b\n\n"
        "processor\t: 1\nFeatures\t: asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n"
    )
    host = host_fingerprint(
        runtime_versions=(),
        root=make_root(files={"proc/cpuinfo": cpuinfo}),
        software=_software("aarch64"),
    )
    assert host.instruction_set == "arm-neon"
    assert host.cpu_model == "Cortex-A55, Cortex-A76"


@pytest.mark.parametrize(
    ("hwcap", "hwcap2", "instructions", "flags"),
    [
        (0x8FB, 0, "arm-neon", ("asimd",)),  # as a Cortex-A72 says
        (0x119FFB, 0, "arm-dotprod", ("asimd", "asimddp", "asimdhp", "asimdrdm", "fphp")),
        (
            0x119FFB,
            1 << 13,
            "arm-dotprod",
            ("asimd", "asimddp", "asimdhp", "asimdrdm", "fphp", "i8mm"),
        ),
    ],
)
def test_what_the_kernel_tells_the_process_goes_before_what_it_shows(
    hwcap: int, hwcap2: int, instructions: str, flags: tuple[str, ...], make_root: MakeRoot
) -> None:
    """A container on another machine's /proc, or an emulator: the engine goes by the vector."""
    shown = "processor\t: 0\nflags\t: avx2 avx_vnni\nFeatures\t: asimd asimddp sve\n"
    root = make_root(files={"proc/cpuinfo": shown})
    vector = struct.pack("=8Q", 16, hwcap, 17, 100, 26, hwcap2, 0, 0)
    (root / "proc/self").mkdir()
    (root / "proc/self/auxv").write_bytes(vector)
    host = host_fingerprint(runtime_versions=(), root=root, software=_software("aarch64"))
    assert (host.instruction_set, host.cpu_flags) == (instructions, flags)


@pytest.mark.parametrize("vector", [b"", b"cut", struct.pack("=4Q", 6, 4096, 0, 0)])
def test_a_vector_that_tells_nothing_leaves_what_the_kernel_shows(
    vector: bytes, make_root: MakeRoot
) -> None:
    root = make_root("pi-5")
    (root / "proc/self").mkdir()
    (root / "proc/self/auxv").write_bytes(vector)
    host = host_fingerprint(runtime_versions=(), root=root, software=_software("aarch64"))
    assert host.instruction_set == "arm-dotprod"


def test_the_vector_of_another_architecture_is_not_read(make_root: MakeRoot) -> None:
    root = make_root("x86-avx2")
    (root / "proc/self").mkdir()
    (root / "proc/self/auxv").write_bytes(struct.pack("=2Q", 16, 0x119FFB))
    host = host_fingerprint(runtime_versions=(), root=root, software=_software("x86_64"))
    assert host.instruction_set == "x86-avx2"
    assert "asimddp" not in host.cpu_flags


def test_nothing_to_read_is_no_error(tmp_path: Path) -> None:
    host = host_fingerprint(
        runtime_versions=(), root=tmp_path / "none", software=_software("riscv64")
    )
    assert (host.instruction_set, host.cpu_flags, host.memory_bytes) == ("generic", (), 0)
    assert host.cpu_model == "riscv64"


def test_this_machine_is_read_twice_the_same() -> None:
    first = host_fingerprint(runtime_versions=("a 1",))
    assert first == host_fingerprint(runtime_versions=("a 1",))
    assert first.architecture == platform.machine()
    assert first.core_count == len(os.sched_getaffinity(0))
    assert first.memory_bytes > 0
