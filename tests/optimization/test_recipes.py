"""Recipes and the data types behind them."""

from __future__ import annotations

from typing import get_args

import pytest

from edgeworthy.documents.device import InstructionSet
from edgeworthy.optimization import recipes_for
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.recipes import int8_recipe


@pytest.mark.parametrize(
    ("instruction_set", "name"),
    [
        ("x86-vnni", "int8-u8s8"),
        ("x86-avx2", "int8-u8s8-r7"),
        ("arm-neon", "int8-s8s8"),
        ("arm-dotprod", "int8-s8s8"),
        ("generic", "int8-u8s8-r7"),
    ],
)
def test_the_data_types_suit_the_instruction_set(
    instruction_set: InstructionSet, name: str
) -> None:
    float_recipe, integer_recipe = recipes_for([instruction_set])
    assert (float_recipe.name, float_recipe.quantization) == ("float32", None)
    assert integer_recipe.name == name
    assert integer_recipe.quantization == data_types_for(instruction_set)


def test_every_instruction_set_has_per_channel_signed_weights() -> None:
    for instruction_set in get_args(InstructionSet):
        types = data_types_for(instruction_set)
        assert types.per_channel
        assert types.weight_type == "int8"


def test_equal_recipes_are_made_once() -> None:
    names = [recipe.name for recipe in recipes_for(get_args(InstructionSet))]
    assert names == ["float32", "int8-u8s8-r7", "int8-u8s8", "int8-s8s8"]


def test_no_target_no_integers() -> None:
    assert [recipe.name for recipe in recipes_for([])] == ["float32"]


def test_other_choices_show_in_the_name() -> None:
    import msgspec  # noqa: PLC0415 - only here

    types = msgspec.structs.replace(
        data_types_for("x86-vnni"),
        per_channel=False,
        calibration_method="minmax",
        equalization=True,
        smoothing_alpha=0.5,
    )
    assert int8_recipe(types).name == "int8-u8s8-per-tensor-minmax-equalized-smoothed"
