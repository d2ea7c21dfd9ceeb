"""How much of the outputs' error each layer causes in integers, and which go back to float first.

Rules:

1. One thing at a time: the steps of one tensor, or the finished weights and bias of one layer, with
   everything else in float. What the outputs then miss is its doing and nobody else's.
2. Weights are those that the recipe ends with, its rounding and its correction of biases among
   them: what they make up for does not count.
3. The error is that of the outputs, as energy over the energy of the outputs, on real samples: a
   large error inside a layer that the next one forgives does not count.
4. A layer's error is what its weights and its input cause together; the order in which layers go
   back to float is another one, see :mod:`~edgeworthy.optimization.search.regions`.
5. Ranges, data types and scales are those that the recipe gives the layer; what it leaves in float
   by itself is not ranked.
6. What a range cuts off shows only on samples that it was not found on: errors are taken on the
   first samples (whole batches, where their size is fixed), and ranges are found on the others,
   unless there are few.
7. Where the float model itself gives infinities, outputs are not compared.
8. The same samples give the same ranking; equal errors keep the order of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import DatasetError
from edgeworthy.graph import LoadedModel, model_signature
from edgeworthy.graph.macs import node_macs
from edgeworthy.graph.shapes import shapes_per_sample
from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import CLEANING
from edgeworthy.optimization.proof import gather_proof
from edgeworthy.optimization.quantization import LayerInputs, QuantizationPlan
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.search.regions import Noise, Work, float_order
from edgeworthy.optimization.static_variant import (
    finish_layers,
    integer_weights,
    make_ready,
    plan_integers,
)
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name
from edgeworthy.optimization.workbench import Calibration, Workbench
from edgeworthy.runtimes.base import Tensors

#: Samples that the errors are taken on, at most.
SAMPLE_COUNT = 16
#: Ranges are found on other samples than errors are taken on, where there are so many.
LEAST_OTHERS = 48
#: Storing an element, and converting one with its change of layout, take about as long as so many
#: multiply-accumulates in float.
STORING = 16
CONVERTING = 48
_INTEGERS = {"uint8": (np.uint8, 0, 255), "int8": (np.int8, -128, 127)}
_BIAS_INPUT = 2
#: Noise against signal of outputs that are no numbers any more: more than any other.
_RUIN = 1e9


@dataclass(frozen=True)
class _Finished:
    """The float graph, and what its layers and tensors become in integers."""

    model: ModelProto
    recipe: QuantizationRecipe
    plan: QuantizationPlan
    ranges: Mapping[str, TensorRange]
    weights: Mapping[str, NDArray[np.float64]]
    corrected: ModelProto


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
    signature = model_signature(model.proto)
    judged, others = _apart(calibration, signature)
    proof = gather_proof(signature, calibration(), seed=seed)
    work = Workbench(model.proto, proof, lambda _: None)
    work.apply(CLEANING)
    make_ready(work)
    plan, ranges = plan_integers(work, recipe, others)
    corrected, scales = finish_layers(work, recipe, plan, ranges, LayerInputs(others))
    ready = _Finished(
        model=work.model,
        recipe=recipe,
        plan=plan,
        ranges=ranges,
        weights=integer_weights(corrected, recipe, plan, ranges, scales),
        corrected=corrected,
    )
    return _ranked(ready, judged)


def _ranked(ready: _Finished, batches: Sequence[Tensors]) -> tuple[LayerSensitivity, ...]:
    nodes = [node for node in ready.model.graph.node if node.name in ready.plan.nodes]
    layers = [node for node in nodes if node.op_type in WEIGHTED]
    noise = _noise_of(ready, layers, batches)
    work = _work_of(ready, layers, noise)
    order = {name: rank for rank, name in enumerate(float_order(nodes, noise, work))}
    count = sum(len(next(iter(batch.values()))) for batch in batches)
    found = [
        LayerSensitivity(
            node=node.name,
            op_type=node.op_type,
            error_ratio=noise.layers[node.name] + noise.tensors.get(node.input[0], 0.0),
            sample_count=count,
            float_order=order[node.name],
        )
        for node in layers
    ]
    return tuple(sorted(found, key=lambda each: -each.error_ratio))


def _work_of(ready: _Finished, layers: Sequence[NodeProto], noise: Noise) -> Work:
    """What float costs, in multiply-accumulates."""
    shapes = shapes_per_sample(ready.model)

    def elements(tensor: str) -> int:
        shape = shapes.get(tensor)
        return max(1, math.prod(shape.sizes)) if shape is not None else 1

    return Work(
        layers={
            node.name: float((node_macs(node, shapes) or 0) + STORING * elements(node.output[0]))
            for node in layers
        },
        borders={name: float(CONVERTING * elements(name)) for name in noise.tensors},
    )


def _noise_of(ready: _Finished, layers: Sequence[NodeProto], batches: Sequence[Tensors]) -> Noise:
    executor = Executor(ready.model)
    references = [executor.run(batch) for batch in batches]

    def caused(changed: ModelProto) -> float:
        engine = Executor(changed, optimized=True)
        return _error_ratio(references, [engine.run(batch) for batch in batches])

    wiring = Wiring(ready.model.graph)
    return Noise(
        tensors={
            name: caused(_with_steps(ready, name))
            for name in ready.plan.activations
            if not _stays_real(name, ready.plan, wiring)
        },
        layers={node.name: caused(_with_weights(ready, node)) for node in layers},
    )


def _apart(
    calibration: Calibration, signature: ModelSignature
) -> tuple[list[Tensors], Calibration]:
    """Samples to take errors on, and the others; all of them for both where there are few.

    Batches of a model with a fixed size of them stay whole.
    """
    cut = all(not tensor.shape or isinstance(tensor.shape[0], str) for tensor in signature.inputs)
    judged = list(_first_samples(calibration(), cut=cut))
    count = sum(len(next(iter(batch.values()))) for batch in judged)
    if not count:
        raise DatasetError(
            "no samples to rank layers with", next_step="Give at least one calibration sample"
        )

    def others() -> Iterator[Tensors]:
        skipped = 0
        for batch in calibration():
            size = len(next(iter(batch.values())))
            left = max(0, count - skipped)
            skipped += min(size, left)
            if left < size:
                yield {name: values[left:] for name, values in batch.items()}

    enough = sum(len(next(iter(batch.values()))) for batch in others()) >= LEAST_OTHERS
    return judged, others if enough else calibration


def _first_samples(batches: Iterable[Tensors], *, cut: bool) -> Iterator[Tensors]:
    left = SAMPLE_COUNT
    for batch in batches:
        taken = {name: values[:left] for name, values in batch.items()} if cut else batch
        if taken:
            yield taken
            left -= len(next(iter(taken.values())))
        if left <= 0:
            return


def _error_ratio(references: Sequence[Tensors], outputs: Sequence[Tensors]) -> float:
    """Of all places where the reference is a number; a number that is lost there is ruin."""
    noise = signal = 0.0
    for reference, output in zip(references, outputs, strict=True):
        for name, values in reference.items():
            if np.issubdtype(values.dtype, np.floating):
                counted = np.isfinite(values)
                wanted = values[counted].astype(np.float64)
                noise += float(np.square(output[name][counted].astype(np.float64) - wanted).sum())
                signal += float(np.square(wanted).sum())
    ratio = noise / signal if signal > 0.0 else 0.0
    return ratio if math.isfinite(ratio) else _RUIN


def _stays_real(name: str, plan: QuantizationPlan, wiring: Wiring) -> bool:
    """Whether the engine's integer product gives it out as float, see ``float-results``."""
    maker = wiring.producers.get(name)
    readers = wiring.consumers.get(name, ())
    product = maker is not None and maker.op_type in {"Gemm", "MatMul"}
    return product and not any(reader.name in plan.nodes for reader in readers)


def _with_weights(ready: _Finished, layer: NodeProto) -> ModelProto:
    """The float graph with the finished weights and bias of one layer."""
    model = editable(ready.model)
    taken = Wiring(model.graph).names()
    (node,) = [each for each in model.graph.node if each.name == layer.name]
    (finished,) = [each for each in ready.corrected.graph.node if each.name == layer.name]
    stored = {tensor.name: tensor for tensor in ready.corrected.graph.initializer}
    values = [ready.weights[layer.name].astype(np.float32)]
    values += [numpy_helper.to_array(stored[name]) for name in finished.input[_BIAS_INPUT:] if name]
    del node.input[1:]
    for value in values:
        node.input.append(fresh_name(taken, f"{layer.name}_finished"))
        model.graph.initializer.append(numpy_helper.from_array(value, node.input[-1]))
    return model


def _with_steps(ready: _Finished, tensor: str) -> ModelProto:
    """The float graph in which one tensor goes through integers."""
    model = editable(ready.model)
    taken = Wiring(model.graph).names()
    steps, zero = _integers_of(ready.ranges[tensor], ready.recipe)
    names = [fresh_name(taken, f"{tensor}_{part}") for part in ("scale", "zero", "q", "real")]
    scale_name, zero_name, integers, real = names
    model.graph.initializer.append(numpy_helper.from_array(steps, scale_name))
    model.graph.initializer.append(numpy_helper.from_array(zero, zero_name))
    maker = _maker_of(model, tensor)
    if maker is None:
        source, result, position = tensor, real, 0
        for node in model.graph.node:
            node.input[:] = [real if name == tensor else name for name in node.input]
    else:
        source, result, position = real, tensor, maker + 1
        outputs = model.graph.node[maker].output
        outputs[:] = [real if name == tensor else name for name in outputs]
    pair = (
        helper.make_node("QuantizeLinear", [source, scale_name, zero_name], [integers]),
        helper.make_node("DequantizeLinear", [integers, scale_name, zero_name], [result]),
    )
    for offset, made in enumerate(pair):
        model.graph.node.insert(position + offset, made)
    return model


def _maker_of(model: ModelProto, tensor: str) -> int | None:
    places = (index for index, node in enumerate(model.graph.node) if tensor in node.output)
    return next(places, None)


def _integers_of(
    found: TensorRange, recipe: QuantizationRecipe
) -> tuple[NDArray[np.float32], NDArray[np.integer[Any]]]:
    """Scale and zero point."""
    dtype, lowest, highest = _INTEGERS[recipe.activation_type]
    low, high = min(found.lowest, 0.0), max(found.highest, 0.0)
    scale = (high - low) / (highest - lowest) or 1.0
    zero = int(np.clip(round(lowest - low / scale), lowest, highest))
    return np.array(scale, np.float32), np.array(zero, dtype)
