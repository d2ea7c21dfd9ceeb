"""One recipe, made of a project's model or of a bare one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeworthy.documents.record import decode_document
from edgeworthy.documents.variant import Variant, VariantRefusal
from edgeworthy.errors import OptimizationError
from edgeworthy.files import write_whole
from edgeworthy.workflow.recipe_files import check_promise, read_recipe_file, write_recipe_file
from edgeworthy.workflow.search import work
from edgeworthy.workflow.search.session import SearchOptions, inputs_of
from edgeworthy.workflow.search.sources import BareSource
from edgeworthy.workflow.steps import Progress, silent


@dataclass(frozen=True)
class MadeFromRecipe:
    """What a recipe gave.

    Attributes:
        path: The file.
        variant: How it was made.
        promise: Whether it is what the recipe file says came out; empty where it says nothing.
    """

    path: Path
    variant: Variant
    promise: str


def make_from_recipe(
    recipe: Path,
    source: BareSource | Path,
    options: SearchOptions,
    *,
    progress: Progress = silent,
) -> MadeFromRecipe:
    """Make what a recipe file says.

    Args:
        recipe: The file.
        source: A bare model with samples, or a project.
        options: Where to, and the seed of a bare model.
        progress: Told what is going on.

    Raises:
        RecipeFileError: It cannot be read.
        OptimizationError: The recipe does not suit the model.
        VerificationError: The same inputs gave other bytes than the recipe says.
    """
    file = read_recipe_file(recipe)
    inputs = inputs_of(source, options)
    progress(f"Making {file.recipe.name}", None)
    made = work.make(
        msgspec.json.encode(
            work.MakeArguments(
                source=inputs.source,
                recipe=file.recipe,
                calibration=inputs.calibration,
                seed=inputs.seed,
            )
        )
    )
    if "refusal" in made:
        refusal = msgspec.json.decode(made["refusal"], type=VariantRefusal)
        raise OptimizationError(
            f"the recipe does not suit the model: {refusal.reason}", where=str(recipe)
        )
    variant = decode_document(made["variant"], Variant, where=str(recipe))
    promise = check_promise(file, variant, seed=inputs.seed, where=recipe)
    out = options.out or inputs.folder
    path = out / f"{variant.name}.onnx"
    write_whole(path, made["artifact"])
    write_recipe_file(out / f"{variant.name}.toml", variant, seed=inputs.seed)
    return MadeFromRecipe(path=path, variant=variant, promise=promise)
