"""Recipes as TOML files: read strictly, written with what each line means.

Rules:

1. Strict: an unknown key, a missing key or a wrong type is an error that names the file.
2. What is written reads back as the same recipe.
3. A file that says what came out of which inputs is a promise: the same inputs give the same bytes,
   and where they do not, it is an error and not a remark.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from edgeworthy.documents.recipe_file import MadeWith, RecipeFile
from edgeworthy.documents.variant import QuantizationRecipe, Recipe, Variant
from edgeworthy.errors import RecipeFileError, VerificationError
from edgeworthy.files import write_whole
from edgeworthy.workflow.project_file import nearest

_REMARKS = {
    "activation_type": "data type of activations",
    "weight_type": "data type of weights",
    "per_channel": "one scale per output channel",
    "reduced_range": "weights so small that pairs of products fit 16-bit sums",
    "calibration_method": "how ranges of activations are found",
    "rounding": "how weights become integers",
    "bias_correction": "what makes up for shifted means",
    "smoothing_alpha": "share of the activations' spread that moves into the weights",
    "outlier_care": "outliers of transformers moved into weights and never cut off",
    "equalization": "channels between layers brought to equal ranges",
    "balancing": "channels of residual streams brought nearer to each other",
    "float_share": "of the arithmetic, the most that noisy layers may keep in float",
    "float_nodes": "layers that stay in float",
    "full_range_nodes": "layers that keep all eight bits",
    "safe_pairs": "which pairs of weights must fit 16-bit sums",
}


def read_recipe_file(path: Path) -> RecipeFile:
    """Read a recipe.

    Raises:
        RecipeFileError: It is missing, is not TOML, or says what makes no sense.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        file = msgspec.convert(raw, RecipeFile)
    except OSError as error:
        raise RecipeFileError(
            f"cannot be read: {error.strerror}", where=str(path), next_step="Check the path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeFileError(
            f"not valid TOML: {error}", where=str(path), next_step="Correct that line"
        ) from error
    except msgspec.ValidationError as error:
        raise RecipeFileError(
            str(error)[0].lower() + str(error)[1:],
            where=str(path),
            expected="a table [recipe] with `name` and `precision`",
            next_step="docs/guides/optimize.md describes every key",
        ) from error
    _check_keys(raw["recipe"], path)
    return file


def _check_keys(recipe: dict[str, Any], path: Path) -> None:
    """Records ignore what they do not know, so that old readers read new documents; not so here."""
    quantization = recipe.get("quantization") or {}
    for keys, kind in ((recipe, Recipe), (quantization, QuantizationRecipe)):
        for key in keys:
            if key not in kind.__struct_fields__:
                raise RecipeFileError(
                    f"unknown key `{key}`",
                    where=str(path),
                    next_step=nearest(key, kind.__struct_fields__),
                )


def recipe_toml(recipe: Recipe, made: MadeWith | None = None) -> str:
    """The text of a recipe file."""
    lines = [
        "# A recipe of Edgeworthy: with the same model, samples and tools it gives the same bytes.",
        "# Make it again: edgeworthy optimize --recipe THIS_FILE",
        "",
        "[recipe]",
        f"name = {_toml(recipe.name)}",
        f"precision = {_toml(recipe.precision)}",
    ]
    if recipe.quantization is not None:
        lines += ["", "[recipe.quantization]", *_quantization_lines(recipe.quantization)]
    if made is not None:
        lines += ["", "# What came out, and of what.", "[made]"]
        fields = msgspec.to_builtins(made)
        lines += [f"{name} = {_toml(value)}" for name, value in fields.items()]
    return "\n".join(lines) + "\n"


def write_recipe_file(path: Path, variant: Variant, *, seed: int) -> None:
    """Write down how a variant was made.

    Raises:
        StorageError: The file cannot be written.
    """
    write_whole(path, recipe_toml(variant.recipe, made_with(variant, seed=seed)).encode())


def made_with(variant: Variant, *, seed: int) -> MadeWith:
    """What a variant rests on."""
    return MadeWith(
        original=variant.original,
        calibration=variant.calibration or "",
        seed=seed,
        tools=variant.tool_versions,
        artifact=variant.artifact,
    )


def check_promise(file: RecipeFile, variant: Variant, *, seed: int, where: Path) -> str:
    """Hold what came out against what the recipe file says came out (rule 3).

    Returns:
        One sentence: that it is the same, or what differs in the inputs; empty where the file
        promises nothing.

    Raises:
        VerificationError: The inputs are the same and the bytes are not.
    """
    if file.made is None:
        return ""
    now = made_with(variant, seed=seed)
    changed = [
        name
        for name in ("original", "calibration", "seed", "tools")
        if getattr(file.made, name) != getattr(now, name)
    ]
    if not changed and now.artifact != file.made.artifact:
        raise VerificationError(
            "the same inputs gave another file than the recipe says",
            expected=file.made.artifact,
            found=now.artifact,
            where=str(where),
            next_step="Please report this with the recipe",
        )
    same = now.artifact == file.made.artifact
    if same:
        return "the same file, bit for bit, as the recipe says"
    return f"another file than the recipe says, from other inputs: {', '.join(changed)}"


def _quantization_lines(quantization: QuantizationRecipe) -> list[str]:
    lines = []
    for name, value in msgspec.to_builtins(quantization).items():
        if value is None:
            continue
        line = f"{name} = {_toml(value)}"
        remark = _REMARKS[name]
        lines.append(f"{line:<40} # {remark}" if len(line) <= 40 else line)  # noqa: PLR2004 - a column
    return lines


def _toml(value: object) -> str:
    r"""A value as TOML; strings and arrays of strings are those of JSON.

    >>> _toml(("a", 'b"c')), _toml(True), _toml(0.5)
    ('["a", "b\\"c"]', 'true', '0.5')
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # TOML has no escape for DEL; JSON leaves it as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
