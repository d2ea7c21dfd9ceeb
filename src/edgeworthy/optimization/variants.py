"""From a model and a recipe to the file that a device gets, with the record of how it was made.

Rules:

1. The same model, recipe, samples and seed give the same bytes.
2. A recipe that does not suit the model, or that the quantizer or the engine cannot carry out, is a
   refusal with a reason, not an error: the build goes on with the others.
3. A float variant is proved equal to the original; an integer variant is proved to run, and to
   give finite numbers, in the engine as a device uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types

from edgeworthy.documents.variant import EquivalenceRecord, Recipe, Variant
from edgeworthy.errors import InferenceError, ModelFileError, OptimizationError, UsageError
from edgeworthy.files import digest_bytes
from edgeworthy.graph import LoadedModel, model_signature
from edgeworthy.optimization.calibration import affordable_samples
from edgeworthy.optimization.cascade import make_cascade
from edgeworthy.optimization.passes import CLEANING, PACKING
from edgeworthy.optimization.proof import SAMPLE_LIMIT, Proof, gather_proof
from edgeworthy.optimization.quantization import why_not
from edgeworthy.optimization.rival_variants import (
    quantize_products,
    store_float16,
    store_int8_weights,
)
from edgeworthy.optimization.static_variant import quantize_statically
from edgeworthy.optimization.wiring import model_bytes
from edgeworthy.optimization.workbench import Calibration, Progress, Workbench
from edgeworthy.version import __version__

#: Every pass is proved, so a proof is taken on fewer samples than one close look.
_PROOF_SHARE = 16
#: These only store weights in another way: what a graph is made of does not matter to them.
_STORING = frozenset({"float16", "int8-weights"})


@dataclass(frozen=True)
class MadeVariant:
    """A file and how it was made.

    Attributes:
        data: The file's content.
        variant: Its record.
    """

    data: bytes
    variant: Variant


@dataclass(frozen=True)
class Refusal:
    """Why a recipe makes no sense for a model.

    Attributes:
        recipe: The recipe.
        reason: One sentence without a full stop.
    """

    recipe: Recipe
    reason: str


def make_variant(
    model: LoadedModel,
    recipe: Recipe,
    *,
    calibration: Calibration,
    calibration_digest: str,
    seed: int,
    progress: Progress | None = None,
) -> MadeVariant | Refusal:
    """Make one variant.

    Args:
        model: The original; only the first axis of its inputs may be open.
        recipe: What to make.
        calibration: Gives the calibration samples, model-ready and in a fixed order, each time it
            is called.
        calibration_digest: Digest of those samples.
        seed: Of the generated inputs of the proofs.
        progress: Told what begins, in a few words.

    Raises:
        ModelFileError: The engine cannot run the original.
        DatasetError: There are no calibration samples.
        OptimizationError: A pass broke its contract.
        UsageError: The recipe lacks the data types that its precision needs.
    """
    work = Workbench(model.proto, _proof(model, calibration, seed), progress or _say_nothing)
    work.apply(CLEANING)
    if recipe.precision == "float32":
        work.apply(PACKING)
        equivalence = work.proved_against(model.proto)
        return _made(model, recipe, work, equivalence=equivalence)
    reason = "" if recipe.precision in _STORING else why_not(work.model)
    if reason:
        return Refusal(recipe, reason)
    try:
        _carry_out(work, recipe, calibration)
    except (OptimizationError, InferenceError) as error:
        return Refusal(recipe, f"{error.where}: {error.problem}" if error.where else error.problem)
    used = recipe.precision not in _STORING
    return _made(model, recipe, work, calibration_digest=calibration_digest if used else None)


def _say_nothing(_: str) -> None:
    return


def _carry_out(work: Workbench, recipe: Recipe, calibration: Calibration) -> None:
    """Do what the recipe's precision asks for."""
    if recipe.precision == "float16":
        store_float16(work)
        return
    if recipe.quantization is None:
        raise UsageError(
            "a recipe without its [quantization]",
            expected=f"data types for the precision `{recipe.precision}`",
            where=f"recipe {recipe.name}",
        )
    if recipe.precision == "int8-weights":
        store_int8_weights(work, recipe.quantization)
    elif recipe.precision == "int8-dynamic":
        quantize_products(work, recipe.quantization, calibration)
    elif recipe.precision == "int8-cascade":
        make_cascade(work, recipe.quantization, calibration)
    else:
        quantize_statically(work, recipe.quantization, calibration)


def _proof(model: LoadedModel, calibration: Calibration, seed: int) -> Proof:
    limit = min(SAMPLE_LIMIT, affordable_samples(model.proto) // _PROOF_SHARE)
    signature = model_signature(model.proto)
    proof = gather_proof(signature, calibration(), seed=seed, limit=limit)
    try:
        proof.outputs(model.proto)
    except InferenceError as error:
        raise ModelFileError(
            f"the model does not run: {error.problem}",
            where=str(model.path),
            next_step=error.next_step or "Check the model and the prepared inputs",
        ) from error
    return proof


def _made(
    model: LoadedModel,
    recipe: Recipe,
    work: Workbench,
    *,
    equivalence: EquivalenceRecord | None = None,
    calibration_digest: str | None = None,
) -> MadeVariant:
    data = model_bytes(work.model)
    variant = Variant(
        name=recipe.name,
        recipe=recipe,
        original=model.artifact,
        artifact=digest_bytes(data),
        size_bytes=len(data),
        calibration=calibration_digest,
        passes=tuple(work.records),
        equivalence=equivalence,
        tool_versions=_tool_versions(),
    )
    return MadeVariant(data=data, variant=variant)


def _tool_versions() -> tuple[str, ...]:
    versions = {
        "edgeworthy": __version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
    return tuple(f"{name} {version}" for name, version in sorted(versions.items()))
