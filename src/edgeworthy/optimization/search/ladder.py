"""What a search tries, in waves: each wave is a pure function of what was found before.

Rules:

1. Cheap and likely first: the cleaned float, then the recipe that suits the class of CPU, then its
   rivals; where integers alone lose too much, other ways to spend the steps, integers that ask
   float when they are not sure, then mixed precision.
2. The same findings give the same next wave, so that a search that was killed goes on where it was.
3. Nothing is tried twice; a failed trial is passed over and what depends on it is left out.
4. An engine is a rival like any other: it runs the versions that did best so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.documents.variant import QuantizationRecipe, Recipe
from edgeworthy.optimization.calibration import OUTPUT_ERROR
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.recipes import (
    FLOAT16,
    FLOAT32,
    INT8_WEIGHTS,
    cascade_recipe,
    dynamic_recipe,
    int8_recipe,
)
from edgeworthy.optimization.search.bisection import Tried, next_count

#: Other ways to find ranges than the usual one.
_CALIBRATIONS = ("minmax", "percentile-99.9")
#: Share of the outliers that moves into the weights.
_SMOOTHING = 0.5


@dataclass(frozen=True)
class Attempt:
    """Something to try.

    Attributes:
        recipe: How to make it; absent for the original as it is.
        runtime: Engine.
        why: What is hoped for.
        float_count: Layers that stay in float, for mixed precision.
    """

    recipe: Recipe | None
    runtime: str
    why: str
    float_count: int | None = None


@dataclass(frozen=True)
class Found:
    """What became of an attempt.

    Attributes:
        attempt: What was tried.
        failed: Whether there is nothing to judge.
        loss: How much worse than the original.
        latency: Over the original's; None when it was not measured.
        enough: Whether the loss is within the requirement.
        worthwhile: Whether it beats float in what was asked for.
    """

    attempt: Attempt
    failed: bool
    loss: float = 0.0
    latency: float | None = None
    enough: bool = False
    worthwhile: bool = False


@dataclass(frozen=True)
class Situation:
    """What the search is for.

    Attributes:
        instruction_set: Class of CPU of the target.
        runtimes: Engines of the target, the first of which is the usual one.
        sensitivities: Layers by the error that they cause; empty until they were ranked.
        own_recipes: Recipes that the user gave, tried after the usual one.
        cascades: Whether integers may ask the float model: the outputs are scores of classes, and
            the file may be larger.
    """

    instruction_set: InstructionSet
    runtimes: tuple[str, ...]
    sensitivities: tuple[LayerSensitivity, ...] = ()
    own_recipes: tuple[Recipe, ...] = ()
    cascades: bool = False


def next_wave(situation: Situation, history: Sequence[Found]) -> tuple[Attempt, ...]:
    """What to try next; empty at the end of the ladder.

    Args:
        situation: What the search is for.
        history: Everything that was tried, in order.
    """
    for rung in (_first, _rivals, _remedies, _cascades, _engines, _mixed):
        wanted = [each for each in rung(situation, history) if not _was_tried(each, history)]
        if wanted:
            return tuple(wanted)
    return ()


def wants_sensitivity(history: Sequence[Found]) -> Recipe | None:
    """The static recipe whose layers are worth ranking: integers alone lose too much."""
    best = _best_static(history)
    return None if best is None or best.enough else best.attempt.recipe


def _first(situation: Situation, _history: Sequence[Found]) -> list[Attempt]:
    usual = situation.runtimes[0]
    suited = int8_recipe(data_types_for(situation.instruction_set))
    return [
        Attempt(FLOAT32, usual, "float, cleaned: what every other version must beat"),
        Attempt(suited, usual, f"the data types that suit {situation.instruction_set}"),
        *(Attempt(each, usual, "a recipe of your own") for each in situation.own_recipes),
    ]


def _rivals(situation: Situation, history: Sequence[Found]) -> list[Attempt]:
    usual = situation.runtimes[0]
    suited = data_types_for(situation.instruction_set)
    changed = [
        (msgspec.structs.replace(suited, calibration_method=method), f"ranges found by {method}")
        for method in _CALIBRATIONS
        if _is_static_possible(history)
    ]
    return [
        *(Attempt(int8_recipe(each), usual, why) for each, why in changed),
        Attempt(
            dynamic_recipe(situation.instruction_set),
            usual,
            "activations quantized as they come: no ranges to get wrong",
        ),
        Attempt(INT8_WEIGHTS, usual, "a small file that computes in float"),
        Attempt(FLOAT16, usual, "half the file, and nearly nothing lost"),
    ]


def _remedies(situation: Situation, history: Sequence[Found]) -> list[Attempt]:
    """What may help where the usual recipe loses too much; a model may have no use for some."""
    best = _best_static(history)
    if best is None or best.enough:
        return []
    suited, usual = data_types_for(situation.instruction_set), situation.runtimes[0]
    change = msgspec.structs.replace
    return [
        Attempt(
            int8_recipe(change(suited, equalization=True)),
            usual,
            "channels that use little of a shared range raised",
        ),
        Attempt(
            int8_recipe(change(suited, smoothing_alpha=_SMOOTHING)),
            usual,
            "outliers of activations moved into weights",
        ),
        Attempt(
            int8_recipe(change(suited, calibration_method=OUTPUT_ERROR)),
            usual,
            "for each tensor the range that disturbs its readers least",
        ),
    ]


def _cascades(situation: Situation, history: Sequence[Found]) -> list[Attempt]:
    """Where integers alone lose too much and are faster, or nobody knows yet."""
    best = _best_static(history)
    if not situation.cascades or best is None or best.enough or best.attempt.recipe is None:
        return []
    if best.latency is not None and best.latency >= 1.0:
        return []
    why = "integers, and float where two classes are close; those queries take longer than both"
    return [Attempt(cascade_recipe(best.attempt.recipe), situation.runtimes[0], why)]


def _engines(situation: Situation, history: Sequence[Found]) -> list[Attempt]:
    others = situation.runtimes[1:]
    best = _best_static(history)
    recipes = [FLOAT32, *([best.attempt.recipe] if best and best.attempt.recipe else [])]
    return [
        Attempt(recipe, runtime, f"the same file in {runtime}")
        for runtime in others
        for recipe in recipes
    ]


def _mixed(situation: Situation, history: Sequence[Found]) -> list[Attempt]:
    best = _best_static(history)
    if best is None or best.enough or not situation.sensitivities or best.attempt.recipe is None:
        return []
    tried = {0: Tried(enough=best.enough, worthwhile=True)}
    for each in history:
        if each.attempt.float_count is not None and not each.failed:
            tried[each.attempt.float_count] = Tried(each.enough, each.worthwhile)
    count = next_count(len(situation.sensitivities), tried)
    if count is None:
        return []
    order = sorted(situation.sensitivities, key=lambda each: each.float_order)
    recipe = mixed_recipe(best.attempt.recipe, [each.node for each in order[:count]])
    why = f"{count} of {len(order)} layers in float, those that free the most noise for their work"
    return [Attempt(recipe, situation.runtimes[0], why, float_count=count)]


def mixed_recipe(recipe: Recipe, float_nodes: Sequence[str]) -> Recipe:
    """The same recipe with some layers in float."""
    quantization = recipe.quantization
    if quantization is None:
        raise ValueError("a recipe without integers has no layers to keep in float")
    return Recipe(
        name=f"{recipe.name}-mixed-{len(float_nodes)}",
        precision=recipe.precision,
        quantization=msgspec.structs.replace(quantization, float_nodes=tuple(float_nodes)),
    )


def _was_tried(attempt: Attempt, history: Sequence[Found]) -> bool:
    wanted = (attempt.recipe, attempt.runtime)
    return any((each.attempt.recipe, each.attempt.runtime) == wanted for each in history)


def _is_static_possible(history: Sequence[Found]) -> bool:
    return any(_is_static(each.attempt) and not each.failed for each in history)


def _best_static(history: Sequence[Found]) -> Found | None:
    """The full integer version with the smallest loss, the first among equals."""
    usual = history[0].attempt.runtime if history else ""
    made = [
        each
        for each in history
        if _is_static(each.attempt)
        and not each.failed
        and each.attempt.float_count is None
        and each.attempt.runtime == usual
    ]
    return min(made, key=lambda each: each.loss, default=None)


def _is_static(attempt: Attempt) -> bool:
    recipe = attempt.recipe
    return recipe is not None and recipe.precision == "int8-static"


def is_integer(recipe: Recipe | None) -> bool:
    """Whether a version computes in integers.

    >>> is_integer(FLOAT32), is_integer(None)
    (False, False)
    """
    return recipe is not None and isinstance(recipe.quantization, QuantizationRecipe)
