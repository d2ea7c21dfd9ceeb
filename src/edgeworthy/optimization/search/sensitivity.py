"""How much of the outputs' error each layer alone would cause in integers.

Rules:

1. One layer at a time: its weights and its input go through integers, everything else stays in
   float. What the outputs then miss is this layer's doing and nobody else's.
2. The error is that of the outputs, as energy over the energy of the outputs, on real samples: a
   large error inside a layer that the next one forgives does not count.
3. Ranges, data types and scales are those that the recipe gives the layer; what it leaves in float
   by itself is not ranked.
4. The same samples give the same ranking; equal errors keep the order of the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import DatasetError
from edgeworthy.graph import LoadedModel, model_signature
from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import CLEANING
from edgeworthy.optimization.proof import gather_proof
from edgeworthy.optimization.quantization import weight_scales
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import channel_axis
from edgeworthy.optimization.static_variant import make_ready, plan_integers
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name
from edgeworthy.optimization.workbench import Calibration, Workbench
from edgeworthy.runtimes.base import Tensors

#: Samples that the errors are taken on, at most.
SAMPLE_COUNT = 32
_LARGEST_WEIGHT = 127
_INTEGERS = {"uint8": (np.uint8, 0, 255), "int8": (np.int8, -128, 127)}


@dataclass(frozen=True)
class _Float:
    """The float graph with everything that its layers need to go through integers."""

    model: ModelProto
    recipe: QuantizationRecipe
    ranges: Mapping[str, TensorRange]
    scales: Mapping[str, NDArray[np.float32]]


def rank_layers(
    model: LoadedModel, recipe: QuantizationRecipe, *, calibration: Calibration, seed: int
) -> tuple[LayerSensitivity, ...]:
    """Rank the layers that a static recipe puts into integers, the most sensitive first.

    Args:
        model: The original; only the first axis of its inputs may be open.
        recipe: What is quantized, and how; layers that it leaves in float are left out.
        calibration: Gives the calibration samples, each time it is called.
        seed: Of the generated inputs of the proofs.

    Raises:
        DatasetError: There are no calibration samples.
        OptimizationError: The graph cannot be made ready.
        InferenceError: The engine cannot run it.
    """
    proof = gather_proof(model_signature(model.proto), calibration(), seed=seed)
    work = Workbench(model.proto, proof, lambda _: None)
    work.apply(CLEANING)
    make_ready(work)
    plan, ranges = plan_integers(work, recipe, calibration)
    ready = _Float(
        model=work.model,
        recipe=recipe,
        ranges=ranges,
        scales=weight_scales(work.model, plan, recipe),
    )
    layers = [n for n in work.model.graph.node if n.name in plan.nodes and n.op_type in WEIGHTED]
    return _ranked(ready, layers, list(_first_samples(calibration())))


def _ranked(
    ready: _Float, layers: Sequence[NodeProto], batches: Sequence[Tensors]
) -> tuple[LayerSensitivity, ...]:
    executor = Executor(ready.model)
    references = [executor.run(batch) for batch in batches]
    count = sum(len(next(iter(batch.values()))) for batch in batches)
    found = []
    for node in layers:
        changed = Executor(_with_integers(ready, node), optimized=True)
        outputs = [changed.run(batch) for batch in batches]
        found.append(
            LayerSensitivity(
                node=node.name,
                op_type=node.op_type,
                error_ratio=_error_ratio(references, outputs),
                sample_count=count,
            )
        )
    return tuple(sorted(found, key=lambda each: -each.error_ratio))


def _first_samples(batches: Iterator[Tensors]) -> Iterator[Tensors]:
    left = SAMPLE_COUNT
    for batch in islice(batches, SAMPLE_COUNT):
        taken = {name: values[:left] for name, values in batch.items()}
        if not taken:
            raise DatasetError("no samples to rank layers with")
        yield taken
        left -= len(next(iter(taken.values())))
        if left <= 0:
            return


def _error_ratio(references: Sequence[Tensors], outputs: Sequence[Tensors]) -> float:
    noise = signal = 0.0
    for reference, output in zip(references, outputs, strict=True):
        for name, values in reference.items():
            if np.issubdtype(values.dtype, np.floating):
                wanted = values.astype(np.float64)
                noise += float(np.square(output[name].astype(np.float64) - wanted).sum())
                signal += float(np.square(wanted).sum())
    return noise / signal if signal > 0.0 else 0.0


def _with_integers(ready: _Float, node: NodeProto) -> ModelProto:
    """The float graph in which one layer's weights and input go through integers."""
    model = editable(ready.model)
    wiring = Wiring(model.graph)
    taken = wiring.names()
    position = next(i for i, each in enumerate(model.graph.node) if each.name == node.name)
    layer = model.graph.node[position]
    weight = wiring.initializers[layer.input[1]]
    stepped = _stepped(numpy_helper.to_array(weight), ready.scales.get(weight.name), node)
    own = fresh_name(taken, f"{weight.name}_stepped")
    model.graph.initializer.append(numpy_helper.from_array(stepped, own))
    source = layer.input[0]
    layer.input[1] = own
    found = ready.ranges.get(source)
    if found is not None:
        _insert_integers(model, position, _Steps(source, found, ready.recipe), taken)
    return model


@dataclass(frozen=True)
class _Steps:
    """The integers that a tensor goes through."""

    tensor: str
    range: TensorRange
    recipe: QuantizationRecipe


def _insert_integers(model: ModelProto, position: int, steps: _Steps, taken: set[str]) -> None:
    dtype, lowest, highest = _INTEGERS[steps.recipe.activation_type]
    low, high = min(steps.range.lowest, 0.0), max(steps.range.highest, 0.0)
    scale = (high - low) / (highest - lowest) or 1.0
    zero = int(np.clip(round(lowest - low / scale), lowest, highest))
    names = [fresh_name(taken, f"{steps.tensor}_{part}") for part in ("scale", "zero", "q", "dq")]
    scale_name, zero_name, integers, reals = names
    model.graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), scale_name))
    model.graph.initializer.append(numpy_helper.from_array(np.array(zero, dtype), zero_name))
    model.graph.node[position].input[0] = reals
    parameters = [scale_name, zero_name]
    pair = (
        helper.make_node("QuantizeLinear", [steps.tensor, *parameters], [integers]),
        helper.make_node("DequantizeLinear", [integers, *parameters], [reals]),
    )
    for offset, made in enumerate(pair):
        model.graph.node.insert(position + offset, made)


def _stepped(
    weight: NDArray[np.float32], scales: NDArray[np.float32] | None, node: NodeProto
) -> NDArray[np.float32]:
    """Weights on the steps of their integers."""
    if scales is None:
        steps = np.array(np.abs(weight).max() / _LARGEST_WEIGHT or 1.0, dtype=np.float32)
    else:
        shape = [1] * weight.ndim
        shape[channel_axis(node)] = len(scales)
        steps = scales.reshape(shape)
    rounded = np.clip(np.round(weight / steps), -_LARGEST_WEIGHT, _LARGEST_WEIGHT)
    return np.asarray(rounded * steps, dtype=np.float32)
