"""How each class of CPU adds up products of bytes.

Rules:

1. The instruction set decides, read from the CPU's flags; never the CPU's name.
2. x86 without VNNI multiplies unsigned activations by signed weights with ``VPMADDUBSW``: two
   neighboring products are added in 16 bits and saturate. Unsigned by unsigned bytes it adds up in
   32 bits, and a depthwise convolution widens the bytes first: both are exact.
3. x86 with VNNI adds up in 32 bits and is exact.
4. Arm without ``SDOT`` adds two products of signed bytes in 16 bits, and its depthwise convolutions
   do so with it. They wrap, but only where both weights are -128 (:mod:`wrapping`), which our own
   files never hold.
5. On x86 ONNX Runtime makes signed activations unsigned when it loads a QDQ file, so they saturate
   as well. On Arm it leaves them signed.
6. What is unknown is taken for the worst, which is rule 2.

Sources: ``VPMADDUBSW`` and ``VPDPBUSD`` in Intel's Software Developer's Manual, volume 2; ``SDOT``
and ``SMLAL`` in the Arm Architecture Reference Manual. ``tests/optimization/emulation`` holds what
ONNX Runtime gave on emulated CPUs of three classes against this.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.device import InstructionSet

_EXACT_X86: frozenset[InstructionSet] = frozenset({"x86-vnni"})
_ARM: frozenset[InstructionSet] = frozenset({"arm-neon", "arm-dotprod"})


@dataclass(frozen=True)
class Arithmetic:
    """What an engine computes on a class of CPU.

    Attributes:
        saturates_pairs: Whether neighboring products, unsigned by signed, are added in 16 bits.
        keeps_signed_activations: Whether the engine multiplies signed activations as they are.
        wraps_pairs: Whether products of signed bytes are added in pairs in 16 bits that wrap.
        wraps_depthwise: The same of depthwise convolutions.
    """

    saturates_pairs: bool
    keeps_signed_activations: bool
    wraps_pairs: bool
    wraps_depthwise: bool


def arithmetic_of(instruction_set: InstructionSet) -> Arithmetic:
    """The arithmetic of a class of CPU.

    >>> arithmetic_of("x86-avx2").saturates_pairs, arithmetic_of("x86-vnni").saturates_pairs
    (True, False)
    """
    return Arithmetic(
        saturates_pairs=instruction_set not in _EXACT_X86 | _ARM,
        keeps_signed_activations=instruction_set in _ARM,
        wraps_pairs=instruction_set == "arm-neon",
        wraps_depthwise=instruction_set in _ARM,
    )


def classes_alike(*, signed_activations: bool) -> tuple[tuple[InstructionSet, ...], ...]:
    """Classes of CPU in groups that compute the same of a QDQ file without weights of -128.

    Args:
        signed_activations: Whether the file has any; only then do Arm and x86 with VNNI differ.

    >>> classes_alike(signed_activations=False)[0]
    ('x86-vnni', 'arm-neon', 'arm-dotprod')
    """
    if signed_activations:
        return (("arm-neon", "arm-dotprod"), ("x86-vnni",), ("x86-avx2",))
    return (("x86-vnni", "arm-neon", "arm-dotprod"), ("x86-avx2",))
