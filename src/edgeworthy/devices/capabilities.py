"""What the kernel lets a process use of a 64-bit Arm CPU.

Rules:

1. The auxiliary vector is what engines choose their arithmetic by, so it goes before
   ``/proc/cpuinfo``, which a container, a sandbox or an emulator may show of another machine.
2. Only flags that :data:`~edgeworthy.devices.instructions.ARITHMETIC_FLAGS` knows are named.
3. What is cut off or of another word size says nothing; it is no error.

Source: Linux, ``arch/arm64/include/uapi/asm/hwcap.h`` for the bits and
``Documentation/arch/arm64/elf_hwcaps.rst`` for what they promise; ``man 3 getauxval``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

#: Of a 64-bit process: a number that says what follows, and the value.
_ENTRY = struct.Struct("=QQ")
_BITS: Mapping[int, Mapping[int, str]] = {
    16: {  # AT_HWCAP
        1: "asimd",
        9: "fphp",
        10: "asimdhp",
        12: "asimdrdm",
        20: "asimddp",
        22: "sve",
        23: "asimdfhm",
    },
    26: {  # AT_HWCAP2
        1: "sve2",
        9: "svei8mm",
        12: "svebf16",
        13: "i8mm",
        14: "bf16",
        23: "sme",
    },
}


def arm64_flags(auxiliary_vector: bytes) -> frozenset[str]:
    """Flags as ``/proc/cpuinfo`` would spell them; empty when the vector tells none.

    Args:
        auxiliary_vector: Content of ``/proc/self/auxv`` of a 64-bit process on a 64-bit Arm.

    >>> sorted(arm64_flags(struct.pack("=4Q", 16, 1 << 1 | 1 << 20, 26, 1 << 13)))
    ['asimd', 'asimddp', 'i8mm']
    >>> arm64_flags(b"cut off")
    frozenset()
    """
    whole = len(auxiliary_vector) - len(auxiliary_vector) % _ENTRY.size
    return frozenset(
        name
        for kind, value in _ENTRY.iter_unpack(auxiliary_vector[:whole])
        for bit, name in _BITS.get(kind, {}).items()
        if value >> bit & 1
    )
