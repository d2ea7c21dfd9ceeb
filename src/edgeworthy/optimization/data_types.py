"""Which 8-bit data types suit which instruction set.

Rules, and why (``docs/concepts/quantization.md`` has the figures):

1. Weights are signed, symmetric and have one scale per output channel, everywhere.
2. x86 multiplies unsigned by signed bytes (``VPMADDUBSW``, ``VPDPBUSD``), so activations are
   unsigned there. Arm multiplies signed by signed (``SMULL``, ``SDOT``), so they are signed.
3. Without VNNI, x86 adds two products in 16 bits and saturates: 2 x 255 x 127 does not fit. With
   weights in 7 bits, 2 x 255 x 64 = 32,640 does, and no sum can saturate.
4. On an unknown CPU the one that cannot go wrong is chosen: unsigned activations and 7-bit
   weights. They cost half a bit of accuracy where they were not needed; the other choice costs the
   model where they were.
5. Signed activations keep a zero point. The engine folds it into the bias, so it costs nothing,
   and without it half of the 256 steps would stand for the negative numbers that a ReLU never
   gives.
"""

from __future__ import annotations

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import QuantizationRecipe

#: Largest sum of two products of an unsigned byte and a 7-bit weight; fits 16 signed bits.
LARGEST_REDUCED_PAIR_SUM = 2 * 255 * 64

_FULL = QuantizationRecipe(
    activation_type="uint8", weight_type="int8", per_channel=True, reduced_range=False
)
_REDUCED = QuantizationRecipe(
    activation_type="uint8", weight_type="int8", per_channel=True, reduced_range=True
)
_SIGNED = QuantizationRecipe(
    activation_type="int8", weight_type="int8", per_channel=True, reduced_range=False
)
_BY_INSTRUCTION_SET: dict[InstructionSet, QuantizationRecipe] = {
    "x86-vnni": _FULL,
    "x86-avx2": _REDUCED,
    "arm-neon": _SIGNED,
    "arm-dotprod": _SIGNED,
    "generic": _REDUCED,
}


def data_types_for(instruction_set: InstructionSet) -> QuantizationRecipe:
    """The data types that are both safe and fast on an instruction set.

    >>> data_types_for("x86-avx2").reduced_range
    True
    """
    return _BY_INSTRUCTION_SET[instruction_set]
