"""A recipe as a file that people can read, and what its file is known to rest on."""

from __future__ import annotations

import msgspec

from edgeworthy.documents.variant import QuantizationRecipe, Recipe


class RecipeFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipe file says; TOML.

    Attributes:
        recipe: How the version is made: ``name``, ``precision`` and, for integers, the table
            ``[recipe.quantization]``.
        made: What came out of which inputs; left out in a recipe that was written by hand.
    """

    recipe: Recipe
    made: MadeWith | None = None


class MadeWith(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inputs of a version and the file that came out: the same inputs give the same bytes.

    Attributes:
        original: Digest of the model.
        calibration: Digest of the calibration samples; empty where none were used.
        seed: Seed of everything random.
        tools: As ``name version``, sorted.
        artifact: Digest of the file that came out.
    """

    original: str
    calibration: str = ""
    seed: int = 0
    tools: tuple[str, ...] = ()
    artifact: str = ""


__all__ = ["MadeWith", "QuantizationRecipe", "Recipe", "RecipeFile"]
