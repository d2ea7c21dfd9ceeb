"""From a model and a recipe to the file that a device gets, with the record of how it was made.

Rules:

1. The same model, recipe, samples and seed give the same bytes.
2. A recipe that does not suit the model, or that the quantizer or the engine cannot carry out, is a
   refusal with a reason, not an error: the build goes on with the others.
3. A float variant is proved equal to the original; an integer variant is proved to run, and to
   give finite numbers, in the engine as a device uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.documents.variant import (
    EquivalenceRecord,
    PassRecord,
    QuantizationRecipe,
    Recipe,
    Variant,
)
from edgeworthy.errors import InferenceError, ModelFileError, OptimizationError
from edgeworthy.files import digest_bytes
from edgeworthy.graph import LoadedModel, model_signature
from edgeworthy.optimization.calibration import observe_ranges
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import (
    AFTER_QUANTIZATION,
    BEFORE_QUANTIZATION,
    CLEANING,
    PACKING,
    Pass,
)
from edgeworthy.optimization.passes.raise_opset import PER_CHANNEL_OPSET
from edgeworthy.optimization.proof import Proof, difference, gather_proof
from edgeworthy.optimization.quantization import (
    QuantizationPlan,
    correct_biases,
    make_plan,
    must_be_pair_safe,
    quantize,
    round_weights,
    weight_scales,
    why_not,
)
from edgeworthy.optimization.wiring import model_bytes, opset_version
from edgeworthy.runtimes.base import Tensors
from edgeworthy.version import __version__

Calibration = Callable[[], Iterator[Tensors]]
Progress = Callable[[str], None]


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
    """
    work = _Work(model.proto, _proof(model, calibration, seed), progress or _say_nothing)
    work.apply(CLEANING)
    if recipe.quantization is None:
        work.apply(PACKING)
        equivalence = work.proved_against(model.proto)
        return _made(model, recipe, work, equivalence=equivalence)
    reason = why_not(work.model)
    if reason:
        return Refusal(recipe, reason)
    try:
        work.quantize(recipe.quantization, calibration)
    except (OptimizationError, InferenceError) as error:
        return Refusal(recipe, f"{error.where}: {error.problem}" if error.where else error.problem)
    return _made(model, recipe, work, calibration_digest=calibration_digest)


def _say_nothing(_: str) -> None:
    return


@dataclass
class _Work:
    """The graph on its way through the passes."""

    model: ModelProto
    proof: Proof
    say: Progress
    records: list[PassRecord] = field(default_factory=list)

    def apply(self, passes: Sequence[Pass]) -> None:
        for rule in passes:
            self.say(rule.name)
            result = rule(self.model, self.proof)
            self.model = result.model
            self.records.append(result.record)

    def proved_against(self, original: ModelProto) -> EquivalenceRecord:
        """Many small differences must not add up to a large one."""
        record = self.proof.compare(original, self.model)
        if record.largest_difference > record.tolerance:
            raise OptimizationError(
                "all passes together changed the outputs",
                expected=f"a relative difference of at most {record.tolerance:g}",
                found=f"{record.largest_difference:g}",
                where=", ".join(entry.name for entry in self.records if entry.changed),
                next_step="Please report this with the model; the original is untouched",
            )
        return record

    def quantize(self, recipe: QuantizationRecipe, calibration: Calibration) -> None:
        """Quantize in place."""
        self.apply(BEFORE_QUANTIZATION)
        if opset_version(self.model) < PER_CHANNEL_OPSET:
            raise OptimizationError(self.records[-len(BEFORE_QUANTIZATION)].detail)
        plan = make_plan(self.model)
        self.say("calibration")
        observed = observe_ranges(
            self.model, calibration(), plan.activations, method=recipe.calibration_method
        )
        ranges = plan.with_implied(observed)
        self._note("calibrate", f"ranges of {len(observed)} tensors ({recipe.calibration_method})")
        self.say("quantization")
        reference = self.proof.outputs(self.model)
        scales = weight_scales(self.model, plan, recipe)
        rounded = self._rounded(recipe, plan, scales, calibration)
        draft = quantize(rounded, plan, ranges, recipe, scales=scales)
        corrected = correct_biases(self.model, draft.model, plan, calibration(), onto=rounded)
        quantized = quantize(corrected, plan, ranges, recipe, scales=scales)
        if not quantized.weight_count:
            raise OptimizationError("the quantizer found no weights to quantize")
        remarks = "".join(f"; {remark}" for remark in quantized.remarks)
        self._note(
            "quantize", f"{quantized.weight_count} weights in {len(plan.nodes)} nodes{remarks}"
        )
        self.model = quantized.model
        self.apply((*AFTER_QUANTIZATION, *PACKING))
        self._note("run", self._proved_to_run(reference))

    def _rounded(
        self,
        recipe: QuantizationRecipe,
        plan: QuantizationPlan,
        scales: Mapping[str, NDArray[np.float32]],
        calibration: Calibration,
    ) -> ModelProto:
        if recipe.rounding == "nearest" or not scales:
            return self.model
        self.say("rounding")
        rounded, count = round_weights(
            self.model,
            plan,
            scales,
            calibration,
            pair_safe=lambda layer: must_be_pair_safe(layer.node, layer.weight, recipe),
        )
        self._note("round", f"errors compensated in {count} of {len(scales)} layers")
        return rounded

    def _note(self, name: str, detail: str) -> None:
        self.records.append(
            PassRecord(name=name, changed=name in {"quantize", "round"}, detail=detail)
        )

    def _proved_to_run(self, reference: Sequence[Tensors]) -> str:
        executor = Executor(self.model, optimized=True)
        outputs = [executor.run(batch) for batch in self.proof.batches]
        for values in (value for output in outputs for value in output.values()):
            if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
                raise OptimizationError("the quantized model gives numbers that are not finite")
        largest = max(map(difference, reference, outputs), default=0.0)
        return f"finite on {self.proof.sample_count} inputs; {largest:.1e} from float at most"


def _proof(model: LoadedModel, calibration: Calibration, seed: int) -> Proof:
    proof = gather_proof(model_signature(model.proto), calibration(), seed=seed)
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
    work: _Work,
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
