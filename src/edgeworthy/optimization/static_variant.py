"""Weights and activations in integers, with every range found beforehand.

Rules:

1. The float graph is made ready first, without changing what it computes: only then is anything
   rounded.
2. Rounding the weights comes before correcting the biases, which make up for what is left.
3. What cannot be carried out is an error that names its reason; nothing is left out silently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.blas_threads import one_blas_thread
from edgeworthy.optimization.calibration import (
    OUTPUT_ERROR,
    TensorRange,
    affordable_samples,
    check_method,
    first_runs,
    observe,
    ranges_of,
)
from edgeworthy.optimization.passes import AFTER_QUANTIZATION, BEFORE_QUANTIZATION, PACKING
from edgeworthy.optimization.passes.raise_opset import PER_CHANNEL_OPSET
from edgeworthy.optimization.passes.store_int8_tables import StoreInt8Tables
from edgeworthy.optimization.quantization import (
    LayerInputs,
    QuantizationPlan,
    Quantized,
    RoundedWeights,
    bias_shifts,
    bounds_of,
    chosen_ranges,
    has_attention,
    lower_biases,
    make_plan,
    meetings_of,
    noisy_layers,
    quantize,
    round_weights,
    smooth,
    stored_weights,
    tensors_before_products,
    weight_scales,
    weights_on_steps,
    without_shut,
)
from edgeworthy.optimization.rescaling import balance_channels, equalize_channels
from edgeworthy.optimization.wiring import opset_version
from edgeworthy.optimization.workbench import Calibration, Workbench

#: Samples on which layers are judged at most, and the share of those of a closer look.
_JUDGED_SAMPLES = 16
_JUDGED_SHARE = 16
#: Samples on which outliers are looked for at most.
_SMOOTHED_SAMPLES = 32
#: Cuts off nothing.
_WHOLE = "minmax"


def quantize_statically(
    work: Workbench, recipe: QuantizationRecipe, calibration: Calibration
) -> None:
    """Turn the cleaned float graph on the bench into an integer one.

    Raises:
        OptimizationError: The graph, or one of the recipe's options, does not allow it.
        InferenceError: The engine cannot run a graph on the way.
        UsageError: There is no such calibration method.
    """
    make_ready(work)
    quantize_ready(work, recipe, calibration)


def quantize_ready(work: Workbench, recipe: QuantizationRecipe, calibration: Calibration) -> None:
    """The same for a graph that :func:`make_ready` went through.

    Raises:
        OptimizationError: The graph, or one of the recipe's options, does not allow it.
        InferenceError: The engine cannot run a graph on the way.
        UsageError: There is no such calibration method.
    """
    check_method(recipe.calibration_method)
    reference = work.proof.outputs(work.model)
    inputs = LayerInputs(calibration)
    careful = recipe.rounding != "nearest" and recipe.per_channel
    plan, ranges = plan_integers(work, recipe, calibration, inputs=inputs if careful else None)
    quantized = _quantized(work, recipe, plan, ranges, inputs)
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


def plan_integers(
    work: Workbench,
    recipe: QuantizationRecipe,
    calibration: Calibration,
    *,
    inputs: LayerInputs | None = None,
) -> tuple[QuantizationPlan, dict[str, TensorRange]]:
    """Make the float graph easy to quantize; decide what is quantized, in which ranges.

    Args:
        work: With a graph that :func:`make_ready` went through.
        recipe: Says how.
        calibration: Gives the calibration samples.
        inputs: Looks at the layers in the same runs.

    Returns:
        The plan, and a range for each tensor that it touches.

    Raises:
        OptimizationError: The graph, or one of the recipe's options, does not allow it.
        InferenceError: The engine cannot run a graph on the way.
    """
    work.apply((StoreInt8Tables(recipe.float_nodes),))
    outliers = smooth_products(work, recipe, calibration)
    if recipe.equalization:
        equalize_channels(work, calibration)
    if recipe.balancing and recipe.per_channel:
        balance_channels(work, calibration)
    whole = outliers and recipe.outlier_care
    return _calibrated(work, recipe, calibration, whole=whole, inputs=inputs)


def smooth_products(work: Workbench, recipe: QuantizationRecipe, calibration: Calibration) -> bool:
    """Move outliers of activations into weights, as far as the recipe says.

    Returns:
        Whether there were any to move.

    Raises:
        OptimizationError: The share is not between 0 and 1.
        InferenceError: The engine cannot run the graph.
    """
    alpha = recipe.smoothing_alpha
    cares = alpha is None and recipe.outlier_care and has_attention(work.model)
    if alpha is None and not cares:
        return False
    if alpha is not None and not 0.0 <= alpha <= 1.0:
        raise OptimizationError(f"`smoothing_alpha` lies between 0 and 1, and {alpha:g} does not")
    plan = make_plan(work.model, float_nodes=recipe.float_nodes)
    meetings = meetings_of(work.model, plan)
    if not meetings and not cares:
        raise OptimizationError(
            "there is no product whose outliers could move into its weights",
            next_step="Leave `smoothing_alpha` out of this recipe",
        )
    work.say("smoothing")
    names = [each.tensor for each in meetings]
    limit = min(_SMOOTHED_SAMPLES, affordable_samples(work.model))
    runs = first_runs(work.model, calibration(), names, limit=limit)
    before = work.model
    smoothed = smooth(work.model, meetings, runs, alpha=alpha)
    if not smoothed.moved:
        work.note("smooth", f"no outliers worth moving in {len(meetings)} tensors")
        return False
    work.model = smoothed.model
    difference = work.proof.compare(before, work.model).largest_difference
    work.note(
        "smooth",
        f"outliers of {smoothed.moved} of {len(meetings)} tensors moved into weights, "
        f"{smoothed.added} multiplications added; largest difference {difference:.1e}",
        changed=True,
    )
    return True


def _calibrated(
    work: Workbench,
    recipe: QuantizationRecipe,
    calibration: Calibration,
    *,
    whole: bool,
    inputs: LayerInputs | None,
) -> tuple[QuantizationPlan, dict[str, TensorRange]]:
    """What to quantize, with the ranges of its activations; whole ones before products if told."""
    work.say("calibration")
    plan = make_plan(work.model, float_nodes=recipe.float_nodes)
    if inputs is not None:
        inputs.accompany(work.model, plan)
    with one_blas_thread():
        seen = observe(work.model, calibration(), plan.activations, companion=inputs)
    limit = min(_JUDGED_SAMPLES, affordable_samples(work.model) // _JUDGED_SHARE)
    judged = list(first_runs(work.model, calibration(), plan.activations, limit=limit))
    method = recipe.calibration_method
    if method == OUTPUT_ERROR:
        ranges, methods = chosen_ranges(work.model, seen, judged)
        counts = Counter(methods.values())
        method += ": " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    else:
        ranges = ranges_of(seen, method)
    if whole:
        uncut = tensors_before_products(work.model, plan.nodes)
        ranges |= ranges_of({name: seen[name] for name in seen if name in uncut}, _WHOLE)
        method += f"; {_WHOLE} before products"
    ranges = plan.with_implied(without_shut(work.model, ranges))
    work.note("calibrate", f"ranges of {len(seen)} tensors ({method})")
    if recipe.float_share > 0.0:
        share = recipe.float_share
        kept = noisy_layers(work.model, plan, ranges, judged, share=share)
        work.note("keep-float", ", ".join(kept) or "no layer causes much of the noise")
        plan = make_plan(work.model, float_nodes=(*recipe.float_nodes, *kept))
    known = {name: ranges[name] for name in plan.activations}
    return plan, plan.with_implied(known)


def _quantized(
    work: Workbench,
    recipe: QuantizationRecipe,
    plan: QuantizationPlan,
    ranges: Mapping[str, TensorRange],
    inputs: LayerInputs,
) -> Quantized:
    """Weights rounded and biases corrected, then QDQ nodes around it all."""
    finished, scales = finish_layers(work, recipe, plan, ranges, inputs)
    return quantize(finished, plan, ranges, recipe, scales=scales)


def finish_layers(
    work: Workbench,
    recipe: QuantizationRecipe,
    plan: QuantizationPlan,
    ranges: Mapping[str, TensorRange],
    inputs: LayerInputs,
) -> tuple[ModelProto, dict[str, NDArray[np.float32]]]:
    """The float graph with rounded weights and corrected biases, and the scales of its weights.

    Raises:
        InferenceError: The engine cannot run a graph on the way.
    """
    work.say("quantization")
    scales = weight_scales(work.model, plan, recipe)
    empirical = recipe.bias_correction == "empirical"
    found = rounded_weights(work, recipe, plan, scales, inputs, biases=empirical)
    if recipe.bias_correction == "none":
        return found.model, scales
    shifts = bias_shifts(
        work.model,
        integer_weights(found.model, recipe, plan, ranges, scales),
        plan,
        inputs.batches(),
        known=found.shifts,
        analytic=recipe.bias_correction == "analytic",
    )
    return lower_biases(found.model, shifts), scales


def integer_weights(
    model: ModelProto,
    recipe: QuantizationRecipe,
    plan: QuantizationPlan,
    ranges: Mapping[str, TensorRange],
    scales: Mapping[str, NDArray[np.float32]],
) -> dict[str, NDArray[np.float64]]:
    """What the integers of each node's weight stand for, by node."""
    if recipe.per_channel:
        return weights_on_steps(model, plan, scales)
    return stored_weights(quantize(model, plan, ranges, recipe).model)


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
    inputs: LayerInputs,
    *,
    biases: bool = False,
) -> RoundedWeights:
    """The graph with weights on the steps of their integers, or as it was for plain rounding."""
    if recipe.rounding == "nearest" or not scales:
        return RoundedWeights(work.model, 0, {})
    work.say("rounding")
    found = round_weights(
        work.model,
        plan,
        scales,
        inputs,
        bounds=lambda layer, integers: bounds_of(layer, integers, recipe),
        biases=biases,
    )
    counts = f"{found.better_count} of {len(scales)}"
    work.note("round", f"errors compensated in {counts} layers", changed=True)
    return found
