"""For each tensor the calibrator whose range disturbs least what is computed from the tensor.

Rules:

1. Every candidate is tried for all tensors at once, and each layer is judged alone: the ratio of
   noise to signal behind the layers that read a tensor decides.
2. A tensor that no layer with weights reads gets the range with the smallest square error.
3. On equal noise the candidate that stands first wins, and ``minmax`` stands last: what cuts off
   nothing is the choice for layers that do not care.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onnx import ModelProto

from edgeworthy.optimization.calibration import Sight, TensorRange, range_of
from edgeworthy.optimization.quantization.noise import noise_ratios
from edgeworthy.runtimes.base import Tensors

CANDIDATES = ("percentile-99.995", "mse", "percentile-99.9", "entropy", "moving-average", "minmax")
_WITHOUT_READER = "mse"


def chosen_ranges(
    model: ModelProto,
    seen: Mapping[str, Sight],
    runs: Iterable[Tensors],
) -> tuple[dict[str, TensorRange], dict[str, str]]:
    """Ranges by tensor, and the method that each is from.

    Args:
        model: The float graph.
        seen: What its activations look like.
        runs: A few samples, in runs that fit the memory; all of them are held.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    held = list(runs)
    ranges = {
        method: {tensor: range_of(sight, method) for tensor, sight in seen.items()}
        for method in CANDIDATES
    }
    noise = {method: _by_tensor(model, ranges[method], held) for method in CANDIDATES}
    methods = {tensor: _least(tensor, noise) for tensor in seen}
    return {tensor: ranges[method][tensor] for tensor, method in methods.items()}, methods


def _by_tensor(
    model: ModelProto,
    ranges: Mapping[str, TensorRange],
    runs: Sequence[Tensors],
) -> dict[str, float]:
    inputs = {node.name: node.input[0] for node in model.graph.node}
    totals: dict[str, float] = {}
    for node, ratio in noise_ratios(model, ranges, runs).items():
        totals[inputs[node]] = totals.get(inputs[node], 0.0) + ratio
    return totals


def _least(tensor: str, noise: Mapping[str, Mapping[str, float]]) -> str:
    ratios = [(found[tensor], method) for method, found in noise.items() if tensor in found]
    if not ratios:
        return _WITHOUT_READER
    least = min(ratio for ratio, _ in ratios)
    return next(method for ratio, method in ratios if ratio == least)
