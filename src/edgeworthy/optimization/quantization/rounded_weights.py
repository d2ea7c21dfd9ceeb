"""The float graph with weights that stand on the steps of their integers, rounded with care.

Rules:

1. A layer keeps plain rounding unless its output error, by the moments of its inputs, gets smaller.
2. Scales are those of the given weights, so the quantizer finds exactly the integers chosen here.
3. Where a bias will take out what rounding adds on the average, only what varies counts as error:
   the moments are those about the mean, and the average is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.optimization.blas_threads import one_blas_thread
from edgeworthy.optimization.quantization.input_moments import (
    LayerInputs,
    Moments,
    observe_moments,
)
from edgeworthy.optimization.quantization.layers import Layer, layers_of
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.quantization.rounding import (
    FREE_BOUNDS,
    Bounds,
    Reactions,
    as_float32,
    compensated,
    error_growth,
    neighbor_safe_bounds,
    pair_safe_bounds,
)
from edgeworthy.optimization.quantization.static_int8 import must_be_pair_safe
from edgeworthy.optimization.wiring import editable


@dataclass(frozen=True)
class RoundedWeights:
    """A graph whose weights were rounded with care.

    Attributes:
        model: The graph.
        better_count: Layers that were rounded better than to the nearest step.
        shifts: By node, what rounding adds to each channel on the average, ``(channels,)``, of the
            layers that were looked at and have room for a bias.
    """

    model: ModelProto
    better_count: int
    shifts: Mapping[str, NDArray[np.float64]]


def round_weights(
    model: ModelProto,
    plan: QuantizationPlan,
    scales: Mapping[str, NDArray[Any]],
    inputs: LayerInputs,
    *,
    bounds: Callable[[Layer, NDArray[np.float64]], Bounds],
    biases: bool,
) -> RoundedWeights:
    """Round what can be rounded better.

    Args:
        model: The float graph; each weight has one reader.
        plan: What is quantized.
        scales: Per weight, one scale per output channel.
        inputs: What there is to look at the layers with.
        bounds: Of a layer's integers, given the nearest ones, ``(groups, channels, depth)``.
        biases: Whether biases will take out the shifts.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    better: dict[str, NDArray[np.float32]] = {}
    shifts: dict[str, NDArray[np.float64]] = {}
    ready: _Inputs | None = None
    with one_blas_thread():
        for layer, moments in observe_moments(model, layers_of(model, plan), inputs):
            name = layer.node.input[1]
            shifted = biases and layer.has_bias
            if ready is None or not ready.are(moments, shifted=shifted):
                ready = _Inputs.of(moments, shifted=shifted)
            chosen, improved = _rounded(layer, ready, scales[name], bounds)
            if improved:
                better[name] = layer.stored(chosen)
            if shifted:
                error = chosen.astype(np.float64) - layer.matrices()
                shifts[layer.node.name] = (error @ moments.means[:, :, None]).reshape(-1)
    result = editable(model)
    for tensor in result.graph.initializer:
        if tensor.name in better:
            tensor.CopyFrom(numpy_helper.from_array(better[tensor.name], tensor.name))
    return RoundedWeights(result, len(better), shifts)


def bounds_of(layer: Layer, nearest: NDArray[np.float64], recipe: QuantizationRecipe) -> Bounds:
    """How small and how large each integer may be, so that the promise of the recipe holds."""
    if not must_be_pair_safe(layer.node, layer.weight, recipe):
        return FREE_BOUNDS
    rule = pair_safe_bounds if recipe.safe_pairs == "any-two" else neighbor_safe_bounds
    return rule(nearest)


@dataclass(frozen=True)
class _Inputs:
    """What is worked out once for all layers on one input."""

    moments: Moments
    shifted: bool
    squares: NDArray[np.float32]
    reactions: Reactions

    @classmethod
    def of(cls, moments: Moments, *, shifted: bool) -> _Inputs:
        squares = moments.about_means() if shifted else moments.squares
        return cls(moments, shifted, squares.astype(np.float32), Reactions.to(squares))

    def are(self, moments: Moments, *, shifted: bool) -> bool:
        return self.moments is moments and self.shifted == shifted


def _rounded(
    layer: Layer,
    inputs: _Inputs,
    scales: NDArray[Any],
    bounds: Callable[[Layer, NDArray[np.float64]], Bounds],
) -> tuple[NDArray[np.float32], bool]:
    """The layer's matrices on their steps, and whether they are not the nearest ones."""
    weights = layer.matrices()
    steps = scales.astype(np.float64).reshape(weights.shape[:2])
    plain = np.clip(np.rint(weights / steps[..., None]), -127.0, 127.0)
    chosen = compensated(weights, steps, inputs.reactions, bounds(layer, plain))
    before, after = (integers * steps[..., None] - weights for integers in (plain, chosen))
    improved = error_growth(before, after, inputs.squares) < 0.0
    return as_float32(chosen if improved else plain, steps), improved
