"""What to make of a model, for a set of CPU classes.

Rules:

1. The cleaned float model comes first: it is what every other variant must beat.
2. Two classes that need the same data types share a variant.
3. The name says what is inside: ``int8-u8s8-r7`` is 8-bit integers, unsigned activations, signed
   weights, in a range reduced for CPUs whose 16-bit sums saturate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import QuantizationRecipe, Recipe
from edgeworthy.optimization.data_types import CALIBRATION_METHOD, data_types_for

FLOAT32 = Recipe(name="float32", precision="float32")
FLOAT16 = Recipe(name="float16", precision="float16")
INT8_WEIGHTS = Recipe(
    name="int8-weights",
    precision="int8-weights",
    quantization=QuantizationRecipe(
        activation_type="float32", weight_type="int8", per_channel=True, reduced_range=False
    ),
)
_SHORT = {"uint8": "u8", "int8": "s8", "float32": "f32"}


def recipes_for(instruction_sets: Sequence[InstructionSet]) -> tuple[Recipe, ...]:
    """The recipes that these CPU classes need, float first, each once.

    >>> [recipe.name for recipe in recipes_for(["x86-vnni", "x86-avx2", "generic"])]
    ['float32', 'int8-u8s8', 'int8-u8s8-r7']
    """
    wanted = [int8_recipe(data_types_for(name)) for name in instruction_sets]
    return (FLOAT32, *dict.fromkeys(wanted))


def dynamic_recipe(instruction_set: InstructionSet) -> Recipe:
    """The recipe for matrix products whose activations are quantized as they come.

    Weights go to the nearest step: what is lost lies in the activations, and rounding with care
    would take most of the time.

    >>> dynamic_recipe("x86-avx2").name
    'int8-dynamic-r7'
    """
    wanted = data_types_for(instruction_set)
    quantization = msgspec.structs.replace(wanted, activation_type="uint8", rounding="nearest")
    name = "int8-dynamic-r7" if wanted.reduced_range else "int8-dynamic"
    return Recipe(name=name, precision="int8-dynamic", quantization=quantization)


def cascade_recipe(recipe: Recipe) -> Recipe:
    """The recipe whose integers ask the float model where two classes are close.

    Args:
        recipe: For static integers.

    >>> cascade_recipe(recipes_for(["x86-vnni"])[1]).name
    'int8-u8s8-cascade'
    """
    return msgspec.structs.replace(recipe, name=f"{recipe.name}-cascade", precision="int8-cascade")


def int8_recipe(quantization: QuantizationRecipe) -> Recipe:
    """The recipe for static 8-bit integers of these data types."""
    types = _SHORT[quantization.activation_type] + _SHORT[quantization.weight_type]
    parts = [
        "int8",
        types,
        *(["r7"] if quantization.reduced_range else []),
        *([] if quantization.per_channel else ["per-tensor"]),
        *([] if quantization.rounding == "compensated" else [quantization.rounding]),
        *(
            []
            if quantization.calibration_method == CALIBRATION_METHOD
            else [quantization.calibration_method]
        ),
        *(["equalized"] if quantization.equalization else []),
        *(["smoothed"] if quantization.smoothing_alpha is not None else []),
    ]
    return Recipe(name="-".join(parts), precision="int8-static", quantization=quantization)
