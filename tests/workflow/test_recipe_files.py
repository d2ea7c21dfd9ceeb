from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bands import ProjectFolder
from edgeworthy.documents.recipe_file import MadeWith
from edgeworthy.documents.variant import QuantizationRecipe, Recipe, Variant
from edgeworthy.errors import RecipeFileError, VerificationError
from edgeworthy.optimization import recipes_for
from edgeworthy.workflow.recipe_files import (
    check_promise,
    made_with,
    read_recipe_file,
    recipe_toml,
    write_recipe_file,
)

NAMES = st.text(max_size=20).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
RECIPES = st.builds(
    Recipe,
    name=NAMES,
    precision=st.sampled_from(["float32", "int8-static", "int8-dynamic"]),
    quantization=st.none()
    | st.builds(
        QuantizationRecipe,
        activation_type=st.sampled_from(["int8", "uint8"]),
        weight_type=st.just("int8"),
        per_channel=st.booleans(),
        reduced_range=st.booleans(),
        calibration_method=NAMES,
        smoothing_alpha=st.none() | st.floats(0, 1),
        float_nodes=st.lists(NAMES, max_size=3).map(tuple),
    ),
)
MADE = st.none() | st.builds(
    MadeWith,
    original=NAMES,
    calibration=NAMES,
    seed=st.integers(0, 2**40),
    tools=st.lists(NAMES, max_size=3).map(tuple),
    artifact=NAMES,
)


@given(RECIPES, MADE)
def test_what_is_written_reads_back_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, made: MadeWith | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "recipe.toml"
    path.write_text(recipe_toml(recipe, made), encoding="utf-8", newline="")
    file = read_recipe_file(path)
    assert (file.recipe, file.made) == (recipe, made)


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_every_line_of_the_quantization_says_what_it_is(alpha: float | None) -> None:
    recipe = recipes_for(["x86-avx2"])[1]
    assert recipe.quantization is not None
    changed = msgspec.structs.replace(recipe.quantization, smoothing_alpha=alpha)
    text = recipe_toml(msgspec.structs.replace(recipe, quantization=changed))
    lines = [line for line in text.split("[recipe.quantization]\n")[1].splitlines() if line]
    assert len(lines) == len(QuantizationRecipe.__struct_fields__) - (alpha is None)
    for line in lines:
        assert re.search(r" = .+ # \w+", line), line


STATIC = """\
[recipe]
name = "x"
precision = "int8-static"
[recipe.quantization]
activation_type = "uint8"
weight_type = "int8"
per_channel = true
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[recipe", "not valid TOML"),
        ('[recipe]\nname = "x"', "missing required field `precision`"),
        ('[recipe]\nname = "x"\nprecision = "int4"', "invalid enum value 'int4'"),
        (
            '[recipe]\nname = "x"\nprecison = "float32"\nprecision = "float32"',
            "unknown key `precison`. Did you mean `precision`",
        ),
        (
            STATIC + 'reduced_range = false\nfloat_node = ["a"]',
            "unknown key `float_node`. Did you mean `float_nodes`",
        ),
        ('[recipe]\nname = "x"\nprecision = "float32"\n[extra]', "unknown field `extra`"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(RecipeFileError) as caught:
        read_recipe_file(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_no_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeFileError, match="cannot be read: No such file"):
        read_recipe_file(tmp_path / "none.toml")


VARIANT = Variant(
    name="float32",
    recipe=Recipe(name="float32", precision="float32"),
    original="sha256:a",
    artifact="sha256:b",
    size_bytes=3,
    tool_versions=("onnx 1",),
)


def test_a_promise_is_kept_explained_or_broken(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    write_recipe_file(path, VARIANT, seed=1)
    file = read_recipe_file(path)
    assert file.made == made_with(VARIANT, seed=1)
    assert "bit for bit" in check_promise(file, VARIANT, seed=1, where=path)
    other = msgspec.structs.replace(VARIANT, artifact="sha256:c")
    assert "from other inputs: seed" in check_promise(file, other, seed=2, where=path)
    with pytest.raises(VerificationError, match="the same inputs gave another file"):
        check_promise(file, other, seed=1, where=path)
    path.write_text(recipe_toml(VARIANT.recipe))
    assert check_promise(read_recipe_file(path), other, seed=1, where=path) == ""


def test_a_build_makes_the_recipes_that_the_project_names(project: ProjectFolder) -> None:
    recipe = Recipe(
        name="mine",
        precision="int8-static",
        quantization=QuantizationRecipe(
            activation_type="uint8",
            weight_type="int8",
            per_channel=True,
            reduced_range=True,
            float_nodes=("conv",),
        ),
    )
    (project.path / "mine.toml").write_text(recipe_toml(recipe))
    project.edit("[release]", '[optimize]\nrecipes = ["mine.toml"]\n\n[release]')
    variants = {each.name: each for each in project.load().optimize()}
    assert variants["mine"].recipe == recipe
    (project.path / "mine.toml").write_text(
        recipe_toml(msgspec.structs.replace(recipe, name="float32"))
    )
    with pytest.raises(RecipeFileError, match="two different recipes are called `float32`"):
        project.load().optimize()
