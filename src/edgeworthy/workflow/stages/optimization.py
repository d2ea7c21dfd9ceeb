"""The versions of the model that suit each class of device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.device import DeviceProfile
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import Recipe, Variant, VariantRefusal
from edgeworthy.errors import RecipeFileError
from edgeworthy.workflow.stages.data import SampleSet, preparation_digest
from edgeworthy.workflow.stages.inspection import InspectedModel, pinned
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.runtimes import Tensors

CALIBRATION_BATCH_SIZE = 32


@dataclass(frozen=True)
class OptimizedVariant:
    """A variant and its file in the cache."""

    variant: Variant
    path: Path


@dataclass(frozen=True)
class Optimized:
    """What optimization made.

    Attributes:
        profiles: Device profile by target.
        variants: By recipe name; the cleaned float first.
        refusals: Recipes that do not suit the model.
        names_by_target: Which variants each target may run.
    """

    profiles: dict[str, DeviceProfile]
    variants: dict[str, OptimizedVariant]
    refusals: tuple[VariantRefusal, ...]
    names_by_target: dict[str, tuple[str, ...]]


def optimize(
    workspace: Workspace, original: InspectedModel, samples: Mapping[str, SampleSet]
) -> Optimized:
    """Make the variants that the targets' instruction sets ask for."""
    from edgeworthy.devices import find_profile
    from edgeworthy.optimization import recipes_for

    profiles = {
        name: find_profile(target.device, folder=workspace.folder)
        for name, target in workspace.targets.items()
    }
    own = _own_recipes(workspace)
    recipes = {
        name: tuple(dict.fromkeys((*recipes_for([profile.instruction_set]), *own)))
        for name, profile in profiles.items()
    }
    _check_names(workspace, recipes.values())
    made: dict[str, OptimizedVariant] = {}
    refusals: list[VariantRefusal] = []
    wanted = {recipe.name: recipe for each in recipes.values() for recipe in each}
    for recipe in wanted.values():
        result = _make(workspace, original, samples.get("calibration"), recipe)
        if isinstance(result, VariantRefusal):
            refusals.append(result)
        else:
            made[recipe.name] = result
    return Optimized(
        profiles=profiles,
        variants=made,
        refusals=tuple(refusals),
        names_by_target={
            target: tuple(recipe.name for recipe in each if recipe.name in made)
            for target, each in recipes.items()
        },
    )


def _own_recipes(workspace: Workspace) -> tuple[Recipe, ...]:
    """The recipes that the project file names."""
    from edgeworthy.workflow.recipe_files import read_recipe_file

    names = workspace.project.optimize.recipes
    return tuple(read_recipe_file(workspace.path(name)).recipe for name in names)


def _check_names(workspace: Workspace, recipes: Iterable[tuple[Recipe, ...]]) -> None:
    """Two recipes of one name would be one variant in every table.

    Raises:
        RecipeFileError: There are two.
    """
    known: dict[str, Recipe] = {}
    for recipe in (each for group in recipes for each in group):
        if known.setdefault(recipe.name, recipe) != recipe:
            raise RecipeFileError(
                f"two different recipes are called `{recipe.name}`",
                where=str(workspace.project_path),
                next_step="Give the one in the recipe file another name",
            )


def _make(
    workspace: Workspace, original: InspectedModel, calibration: SampleSet | None, recipe: Recipe
) -> OptimizedVariant | VariantRefusal:
    if recipe.quantization is not None and calibration is None:
        return VariantRefusal(
            recipe=recipe, reason="the project has no [data.calibration] to find ranges with"
        )
    outputs = workspace.runner.run(
        Step(
            name=f"optimize/{recipe.name}",
            title=f"Making the variant {recipe.name}",
            inputs={
                "model": original.inspection.artifact,
                "recipe": canonical_json(recipe).decode(),
                "calibration samples": calibration.digest if calibration else "none",
                "preparation": preparation_digest(workspace, original.signature),
                "seed": str(workspace.project.seed),
                "tools": tool_version("onnx", "onnxruntime", "numpy"),
            },
            run=partial(_run, workspace, original, calibration, recipe),
        )
    )
    if "refusal" in outputs:
        return msgspec.json.decode(workspace.cache.get(outputs["refusal"]), type=VariantRefusal)
    return OptimizedVariant(
        variant=workspace.document(outputs["variant"], Variant),
        path=workspace.cache.path_of(outputs["artifact"]),
    )


def _run(
    workspace: Workspace, original: InspectedModel, calibration: SampleSet | None, recipe: Recipe
) -> StepResult:
    from edgeworthy.graph import load_model
    from edgeworthy.optimization import Refusal, make_variant

    def batches() -> Iterator[Tensors]:
        if calibration is not None:
            for batch in calibration.batches(original.signature, CALIBRATION_BATCH_SIZE):
                yield batch.inputs

    result = make_variant(
        pinned(workspace, load_model(original.path)),
        recipe,
        calibration=batches,
        calibration_digest=calibration.digest if calibration else "",
        seed=workspace.project.seed,
    )
    if isinstance(result, Refusal):
        refusal = VariantRefusal(recipe=recipe, reason=result.reason)
        return StepResult({"refusal": canonical_json(refusal)})
    return StepResult({"artifact": result.data, "variant": encode_document(result.variant)})
