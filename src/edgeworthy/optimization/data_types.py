"""Which 8-bit data types suit which instruction set.

Rules, and why (``docs/concepts/quantization.md`` has the figures):

1. Weights are signed, symmetric and have one scale per output channel, everywhere.
2. x86 multiplies unsigned by signed bytes (``VPMADDUBSW``, ``VPDPBUSD``), so activations are
   unsigned there. Arm multiplies signed by signed (``SMULL``, ``SDOT``), so they are signed.
3. Without VNNI, x86 adds two products in 16 bits and saturates: 2 x 255 x 127 does not fit. The
   range of weights is reduced there so far that no pair of products can saturate.
4. On an unknown CPU the choice that cannot go wrong is made: unsigned activations and the reduced
   range. It costs a little accuracy where it was not needed; the other choice costs the whole
   model where it was.
5. Signed activations keep a zero point. The engine folds it into the bias, so it costs nothing,
   and without it half of the 256 steps would stand for the negative numbers that a ReLU never
   gives.
6. Ranges of activations cut off 0.005 % of the values at either end: it lowers the error of the
   outputs by a quarter against the largest and smallest value, and protects from outliers.
7. Transformers need their outliers: there nothing is cut off, and outliers move into weights.
"""

from __future__ import annotations

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import IntegerType, QuantizationRecipe

#: How ranges of activations are found.
CALIBRATION_METHOD = "percentile-99.995"


#: Of the arithmetic, what noisy layers may keep in float.
FLOAT_SHARE = 0.05


def _recipe(activation_type: IntegerType, *, reduced_range: bool) -> QuantizationRecipe:
    return QuantizationRecipe(
        activation_type=activation_type,
        weight_type="int8",
        per_channel=True,
        reduced_range=reduced_range,
        calibration_method=CALIBRATION_METHOD,
        rounding="compensated",
        balancing=True,
        float_share=FLOAT_SHARE,
        safe_pairs="neighbors",
        outlier_care=True,
    )


_FULL = _recipe("uint8", reduced_range=False)
_REDUCED = _recipe("uint8", reduced_range=True)
_SIGNED = _recipe("int8", reduced_range=False)
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
