"""The simpler ways to a smaller or faster file, which full integer arithmetic has to beat.

Rules:

1. ``float16`` and ``int8-weights`` change what is stored and nothing of the arithmetic.
2. ``int8-dynamic`` changes matrix products alone, and needs no samples unless weights are rounded
   with care.
3. Each is run as a device runs it, and refuses a model in which it finds nothing to change.
"""

from __future__ import annotations

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.passes import PACKING, Pass
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.passes.remove_unused_initializers import RemoveUnusedInitializers
from edgeworthy.optimization.passes.store_float16 import StoreFloat16
from edgeworthy.optimization.passes.store_int8_tables import StoreInt8Tables
from edgeworthy.optimization.passes.store_int8_weights import StoreInt8Weights
from edgeworthy.optimization.quantization import LayerInputs, make_plan, weight_scales
from edgeworthy.optimization.quantization.dynamic_int8 import dynamic_nodes, quantize_dynamically
from edgeworthy.optimization.static_variant import make_ready, rounded_weights, smooth_products
from edgeworthy.optimization.workbench import Calibration, Workbench


def store_float16(work: Workbench) -> None:
    """Weights in half precision.

    Raises:
        OptimizationError: There is nothing to store.
    """
    _store(work, StoreFloat16())


def store_int8_weights(work: Workbench, recipe: QuantizationRecipe) -> None:
    """Weights in bytes.

    Raises:
        OptimizationError: There is nothing to store.
    """
    work.apply((NameNodes(),))
    _store(work, StoreInt8Tables(recipe.float_nodes), StoreInt8Weights(recipe.float_nodes))


def _store(work: Workbench, *rules: Pass) -> None:
    reference = work.proof.outputs(work.model)
    work.apply(PACKING)
    work.apply(rules)
    if not any(record.changed for record in work.records[-len(rules) :]):
        raise OptimizationError(work.records[-1].detail)
    work.note_run(reference)


def quantize_products(
    work: Workbench, recipe: QuantizationRecipe, calibration: Calibration
) -> None:
    """Matrix products in integers, activations quantized as they come.

    Raises:
        OptimizationError: There is no such product, or the graph does not allow it.
        InferenceError: The engine cannot run a graph on the way.
    """
    if not recipe.per_channel:
        raise OptimizationError("weights of dynamic products have a scale per channel, always")
    make_ready(work)
    plan = make_plan(work.model, float_nodes=recipe.float_nodes)
    plan = plan.only(dynamic_nodes(work.model, plan.nodes))
    if not plan.nodes:
        raise OptimizationError("no MatMul or Gemm with constant float32 weights can be quantized")
    reference = work.proof.outputs(work.model)
    work.apply((StoreInt8Tables(recipe.float_nodes),))
    smooth_products(work, recipe, calibration)
    scales = weight_scales(work.model, plan, recipe)
    rounded = rounded_weights(work, recipe, plan, scales, LayerInputs(calibration))
    work.model = quantize_dynamically(rounded.model, plan.nodes, scales)
    work.note("quantize", f"{len(plan.nodes)} products, activations as they come", changed=True)
    work.apply((RemoveUnusedInitializers(), *PACKING))
    work.note_run(reference)
