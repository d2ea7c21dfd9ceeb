"""How a CPU multiplies 8-bit integers, from what it says it can do.

Rules:

1. The flags decide, never the name of the CPU: a hypervisor may hide what the silicon has.
2. What is not known for certain is ``generic``.

Sources: Linux, ``arch/x86/include/asm/cpufeatures.h`` and
``Documentation/arch/arm64/elf_hwcaps.rst`` for the names of the flags.
"""

from __future__ import annotations

from collections.abc import Collection

from edgeworthy.documents.device import InstructionSet

#: Flags that change which arithmetic an engine chooses; all others are left out of fingerprints.
ARITHMETIC_FLAGS = frozenset(
    {
        *("amx_bf16", "amx_fp16", "amx_int8", "amx_tile", "avx", "avx2"),
        *("avx512_bf16", "avx512_fp16", "avx512_vnni", "avx512bw", "avx512cd", "avx512dq"),
        *("avx512f", "avx512vl", "avx512vbmi", "avx_ifma", "avx_ne_convert", "avx_vnni"),
        *("avx_vnni_int8", "avx_vnni_int16", "f16c", "fma", "sse4_1", "sse4_2", "ssse3"),
        *("asimd", "asimddp", "asimdfhm", "asimdhp", "asimdrdm", "bf16", "fphp", "i8mm"),
        *("neon", "sme", "sve", "sve2", "svebf16", "svei8mm", "vfpv3", "vfpv4"),
    }
)

_X86 = frozenset({"x86_64", "amd64"})
#: How ``platform.machine()`` names a 64-bit Arm CPU.
ARM_64 = frozenset({"aarch64", "arm64"})


def instruction_set(architecture: str, flags: Collection[str]) -> InstructionSet:
    """How a CPU multiplies 8-bit integers.

    Args:
        architecture: As ``platform.machine()`` says.
        flags: As ``/proc/cpuinfo`` spells them.

    >>> instruction_set("x86_64", {"avx2", "avx_vnni"}), instruction_set("x86_64", {"avx2"})
    ('x86-vnni', 'x86-avx2')
    >>> instruction_set("aarch64", {"asimd", "asimddp"}), instruction_set("armv7l", {"neon"})
    ('arm-dotprod', 'arm-neon')
    """
    machine = architecture.lower()
    if machine in _X86:
        if "avx512_vnni" in flags or "avx_vnni" in flags:
            return "x86-vnni"
        return "x86-avx2" if "avx2" in flags else "generic"
    if machine in ARM_64:
        return "arm-dotprod" if "asimddp" in flags else "arm-neon"
    if machine.startswith(("armv7", "armv8")) and "neon" in flags:
        return "arm-neon"
    return "generic"
