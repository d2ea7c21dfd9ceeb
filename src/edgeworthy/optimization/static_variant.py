"""Weights and activations in integers, with every range found beforehand.

Rules:

1. The float graph is made ready first, without changing what it computes: only then is anything
   rounded.
2. Rounding the weights comes before correcting the biases, which make up for what is left.
3. What cannot be carried out is an error that names its reason; nothing is left out silently.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.calibration import observe_ranges
from edgeworthy.optimization.passes import AFTER_QUANTIZATION, BEFORE_QUANTIZATION, PACKING
from edgeworthy.optimization.passes.raise_opset import PER_CHANNEL_OPSET
from edgeworthy.optimization.quantization import (
    QuantizationPlan,
    correct_biases,
    make_plan,
    must_be_pair_safe,
    quantize,
    round_weights,
    weight_scales,
)
from edgeworthy.optimization.wiring import opset_version
from edgeworthy.optimization.workbench import Calibration, Workbench


def quantize_statically(
    work: Workbench, recipe: QuantizationRecipe, calibration: Calibration
) -> None:
    """Turn the cleaned float graph on the bench into an integer one.

    Raises:
        OptimizationError: The graph, or one of the recipe's options, does not allow it.
        InferenceError: The engine cannot run a graph on the way.
    """
    _check_built(recipe)
    make_ready(work)
    plan = make_plan(work.model, float_nodes=recipe.float_nodes)
    work.say("calibration")
    observed = observe_ranges(
        work.model, calibration(), plan.activations, method=recipe.calibration_method
    )
    ranges = plan.with_implied(observed)
    work.note("calibrate", f"ranges of {len(observed)} tensors ({recipe.calibration_method})")
    work.say("quantization")
    reference = work.proof.outputs(work.model)
    scales = weight_scales(work.model, plan, recipe)
    rounded = rounded_weights(work, recipe, plan, scales, calibration)
    draft = quantize(rounded, plan, ranges, recipe, scales=scales)
    corrected = rounded
    if recipe.bias_correction != "none":
        corrected = correct_biases(work.model, draft.model, plan, calibration(), onto=rounded)
    quantized = quantize(corrected, plan, ranges, recipe, scales=scales)
    if not quantized.weight_count:
        raise OptimizationError("the quantizer found no weights to quantize")
    remarks = "".join(f"; {remark}" for remark in quantized.remarks)
    work.note(
        "quantize",
        f"{quantized.weight_count} weights in {len(plan.nodes)} nodes{remarks}",
        changed=True,
    )
    work.model = quantized.model
    work.apply((*AFTER_QUANTIZATION, *PACKING))
    work.note_run(reference)


def _check_built(recipe: QuantizationRecipe) -> None:
    """Options that are described and not built yet."""
    asked = {
        "bias_correction = analytic": recipe.bias_correction == "analytic",
        "smoothing_alpha": recipe.smoothing_alpha is not None,
        "equalization": recipe.equalization,
        "eighth_bit = observed": recipe.eighth_bit == "observed",
    }
    for option, wanted in asked.items():
        if wanted:
            raise OptimizationError(f"`{option}` is not available yet")


def make_ready(work: Workbench) -> None:
    """Give the graph what quantizers need: an operator set that knows channels, names, own weights.

    Raises:
        OptimizationError: The operator set cannot be raised.
    """
    work.apply(BEFORE_QUANTIZATION)
    if opset_version(work.model) < PER_CHANNEL_OPSET:
        raise OptimizationError(work.records[-len(BEFORE_QUANTIZATION)].detail)


def rounded_weights(
    work: Workbench,
    recipe: QuantizationRecipe,
    plan: QuantizationPlan,
    scales: Mapping[str, NDArray[np.float32]],
    calibration: Calibration,
) -> ModelProto:
    """The graph with weights on the steps of their integers, or as it was for plain rounding."""
    if recipe.rounding == "nearest" or not scales:
        return work.model
    work.say("rounding")
    rounded, count = round_weights(
        work.model,
        plan,
        scales,
        calibration,
        pair_safe=lambda layer: must_be_pair_safe(layer.node, layer.weight, recipe),
    )
    work.note("round", f"errors compensated in {count} of {len(scales)} layers", changed=True)
    return rounded
