"""How each class of CPU adds up products of bytes.

Rules:

1. The instruction set decides, read from the CPU's flags; never the CPU's name.
2. x86 without VNNI multiplies unsigned activations by signed weights with ``VPMADDUBSW``: two
   neighbouring products are added in 16 bits and saturate. Every other class, and unsigned by
   unsigned bytes on any class, adds up in 32 bits and is exact.
3. A depthwise convolution has a kernel of its own, which widens the bytes first: exact on all.
4. On x86 ONNX Runtime makes signed activations unsigned when it loads a QDQ file, so they saturate
   as well. On Arm it leaves them signed.
5. What is unknown is taken for the worst, which is rule 2.

Sources: ``VPMADDUBSW`` and ``VPDPBUSD`` in Intel's Software Developer's Manual, volume 2; ``SDOT``
and ``SMLAL`` in the Arm Architecture Reference Manual. ``tests/optimization/emulation`` holds what
ONNX Runtime gave on an emulated CPU without VNNI against this.
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
        saturates_pairs: Whether neighbouring products, unsigned by signed, are added in 16 bits.
        keeps_signed_activations: Whether the engine multiplies signed activations as they are.
    """

    saturates_pairs: bool
    keeps_signed_activations: bool


def arithmetic_of(instruction_set: InstructionSet) -> Arithmetic:
    """The arithmetic of a class of CPU.

    >>> arithmetic_of("x86-avx2").saturates_pairs, arithmetic_of("x86-vnni").saturates_pairs
    (True, False)
    """
    return Arithmetic(
        saturates_pairs=instruction_set not in _EXACT_X86 | _ARM,
        keeps_signed_activations=instruction_set in _ARM,
    )


def classes_alike(*, signed_activations: bool) -> tuple[tuple[InstructionSet, ...], ...]:
    """Classes of CPU in groups that compute the same of a QDQ file.

    Args:
        signed_activations: Whether the file has any; only then do Arm and x86 with VNNI differ.

    >>> classes_alike(signed_activations=False)[0]
    ('x86-vnni', 'arm-neon', 'arm-dotprod')
    """
    if signed_activations:
        return (("arm-neon", "arm-dotprod"), ("x86-vnni",), ("x86-avx2",))
    return (("x86-vnni", "arm-neon", "arm-dotprod"), ("x86-avx2",))
