"""The few layers whose noise is worth the time that they take in float.

Rules:

1. What counts is the error of the model's outputs: the layers with the most noise against signal
   are tried one by one, each with nothing but its own input rounded.
2. A layer is kept in float, together with the layer that makes its input, when it alone causes at
   least a tenth of the noise of all of them.
3. Layers kept in float do at most the given share of the model's multiply-accumulates; one that
   does more by itself is not tried.
4. Only where it helps: between two layers with weights, with at most a ReLU, a clip or a product
   with an own gate between them, and no other reader of what lies there; and the first layer, if
   nothing else reads the model's input. Elsewhere the rounding would happen all the same.
5. A layer that is in float already, because the user says so, has its input rounded as well, unless
   the layer that makes it joins it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from edgeworthy.graph.macs import node_macs
from edgeworthy.graph.shapes import shapes_per_sample
from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.gates import self_gate
from edgeworthy.optimization.quantization.noise import noise_ratios, with_rounded
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import QuantizationPlan, weighted_nodes
from edgeworthy.optimization.wiring import Wiring
from edgeworthy.runtimes.base import Tensors

#: Layers that are tried.
TRIED = 8
#: Share of all noise that a layer must cause to be worth it.
WORTH = 0.1
#: Nodes between two layers, the first one included, where a ReLU or clip stands there.
_WITH_CURVE = 2


def noisy_layers(
    model: ModelProto,
    plan: QuantizationPlan,
    ranges: Mapping[str, TensorRange],
    runs: Iterable[Tensors],
    *,
    share: float,
) -> tuple[str, ...]:
    """Names of the nodes to keep in float, in graph order.

    Args:
        model: The float graph.
        plan: What would be quantized.
        ranges: Of its activations.
        runs: A few samples, in runs that fit the memory; all of them are held.
        share: Of the multiply-accumulates that may stay in float, from 0 to 1.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    held = list(runs)
    chains = _chains(model, plan)
    if not chains:
        return ()
    local = noise_ratios(model, ranges, held)
    noisy = sorted((name for name in local if name in chains), key=lambda name: -local[name])
    costs = _costs(model)
    kept: set[str] = set()
    left = share * sum(costs.values())
    tried = {
        name: chains[name]
        for name in noisy[:TRIED]
        if sum(costs.get(node, 0) for node in chains[name].nodes) <= left
    }
    for name in _worth_it(model, ranges, held, tried):
        new = set(chains[name].nodes) - kept
        cost = sum(costs.get(each, 0) for each in new)
        if cost <= left:
            kept |= new
            left -= cost
    return tuple(node.name for node in model.graph.node if node.name in kept)


@dataclass(frozen=True)
class _Chain:
    """What would be in float for a layer's sake.

    Attributes:
        tensors: That are not rounded then: what it reads, and what lies before a gate.
        nodes: Names of the layer, the one before it, and what stands between them.
    """

    tensors: tuple[str, ...]
    nodes: tuple[str, ...]


def _chains(model: ModelProto, plan: QuantizationPlan) -> dict[str, _Chain]:
    """By layer."""
    wiring = Wiring(model.graph)
    chosen = set(plan.nodes)
    weighted = set(weighted_nodes(model.graph, wiring))
    found = {}
    for node in model.graph.node:
        if node.name not in weighted:
            continue
        tensor = node.input[0]
        if tensor in wiring.inputs and wiring.has_one_consumer(tensor):
            found[node.name] = _Chain((tensor,), (node.name,))
        between = _between(tensor, wiring)
        if between and all(each.name in chosen for each in between):
            tensors = (tensor, between[0].output[0]) if len(between) > _WITH_CURVE else (tensor,)
            names = (*(each.name for each in between), node.name)
            found[node.name] = _Chain(tensors, names)
    return found


def _between(tensor: str, wiring: Wiring) -> list[NodeProto]:
    """The layer that makes a tensor, and the curve behind it; nothing when there is none."""
    maker = wiring.producers.get(tensor)
    nodes: list[NodeProto] = []
    if maker is None or not wiring.has_one_consumer(tensor):
        return nodes
    gate = self_gate(maker, wiring)
    if gate is not None:
        nodes += [gate, maker]
        maker = wiring.producers.get(gate.input[0])
    elif maker.op_type in {"Clip", "Relu"}:
        nodes.append(maker)
        if not wiring.has_one_consumer(maker.input[0]):
            return []
        maker = wiring.producers.get(maker.input[0])
    return [maker, *nodes] if maker is not None and maker.op_type in WEIGHTED else []


def _costs(model: ModelProto) -> dict[str, int]:
    shapes = shapes_per_sample(model)
    return {node.name: node_macs(node, shapes) or 0 for node in model.graph.node}


def _worth_it(
    model: ModelProto,
    ranges: Mapping[str, TensorRange],
    runs: Sequence[Tensors],
    chains: Mapping[str, _Chain],
) -> list[str]:
    """Layers that cause much of the outputs' error, the worst first."""
    if not chains:
        return []
    reference = _outputs(model, runs)
    rounded = {
        name: {each: ranges[each] for each in chain.tensors if each in ranges}
        for name, chain in chains.items()
        if chain.tensors[0] in ranges
    }
    alone = {
        name: _error(reference, _outputs(with_rounded(model, some), runs))
        for name, some in rounded.items()
    }
    together = _error(reference, _outputs(with_rounded(model, ranges), runs))
    worth = [name for name, error in alone.items() if error >= WORTH * together > 0.0]
    return sorted(worth, key=lambda name: -alone[name])


def _outputs(model: ModelProto, runs: Sequence[Tensors]) -> list[NDArray[np.float64]]:
    executor = Executor(model, optimized=True)
    return [
        values.astype(np.float64)
        for run in runs
        for values in executor.run(run).values()
        if np.issubdtype(values.dtype, np.floating)
    ]


def _error(reference: Sequence[NDArray[np.float64]], found: Sequence[NDArray[np.float64]]) -> float:
    return float(
        sum(((one - other) ** 2).sum() for one, other in zip(reference, found, strict=True))
    )
