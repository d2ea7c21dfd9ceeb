from __future__ import annotations

import pytest

from edgeworthy.devices import instruction_set


@pytest.mark.parametrize(
    ("architecture", "flags", "expected"),
    [
        ("x86_64", {"avx2", "avx512f", "avx512_vnni"}, "x86-vnni"),
        ("x86_64", {"avx2", "avx_vnni"}, "x86-vnni"),
        ("AMD64", {"avx2"}, "x86-avx2"),
        ("x86_64", {"avx2", "avx512f", "avx512bw"}, "x86-avx2"),
        ("x86_64", {"avx", "sse4_1"}, "generic"),
        ("aarch64", {"asimd", "asimddp"}, "arm-dotprod"),
        ("arm64", {"asimd"}, "arm-neon"),
        ("aarch64", set(), "arm-neon"),
        ("armv7l", {"neon", "vfpv4"}, "arm-neon"),
        ("armv7l", {"vfpv3"}, "generic"),
        ("armv8l", {"neon"}, "arm-neon"),
        ("armv6l", {"vfp"}, "generic"),
        ("riscv64", {"avx2", "neon"}, "generic"),
    ],
)
def test_flags_and_architecture_decide(architecture: str, flags: set[str], expected: str) -> None:
    assert instruction_set(architecture, flags) == expected
