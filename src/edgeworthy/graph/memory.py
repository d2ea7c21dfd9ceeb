"""How much memory activations need when the nodes run in the order of the graph.

Rules:

1. A tensor lives from the node that makes it (an input: from the start) to the last node that
   reads it (an output: to the end). While a node runs, its inputs and outputs are all alive.
2. No reuse in place and no padding: an engine can do better or worse. A quantized model counts as
   it is written, with the float tensors between its QuantizeLinear and DequantizeLinear.
3. Weights are not counted, nor is what follows from weights alone: an engine computes it once.
4. A tensor of unknown shape counts as 0 and is reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from edgeworthy.graph.macs import Shapes
from edgeworthy.graph.shapes import real_inputs
from edgeworthy.graph.tensors import packed_bytes, subgraphs_of

#: Operators that draw random numbers: new ones in every run, from no input at all.
_DRAWN = frozenset({"RandomNormal", "RandomUniform", "Multinomial", "Bernoulli"})


@dataclass(frozen=True)
class ActivationMemory:
    """Memory of activations.

    Attributes:
        peak_bytes: Largest sum of tensors alive at once, per sample.
        unknown_count: Tensors whose shape is not known and that count as 0.
    """

    peak_bytes: int
    unknown_count: int


def activation_memory(
    graph: onnx.GraphProto, shapes: Shapes, *, batch: int = 1
) -> ActivationMemory:
    """Peak memory of the tensors of a graph.

    Args:
        graph: The main graph, nodes in the order in which they run.
        shapes: Of its tensors, for one batch.
        batch: Samples in that batch.
    """
    last_use, constants = _last_uses(graph), _constants(graph)
    alive = {value.name for value in real_inputs(graph)}
    unknown = {name for name in alive if name not in shapes}
    total = sum(_size(name, shapes) for name in alive)
    peak = total
    for index, node in enumerate(graph.node):
        made = {name for name in node.output if name and name not in constants}
        unknown |= made - shapes.keys()
        total += sum(_size(name, shapes) for name in made)
        alive |= made
        peak = max(peak, total)
        dead = [name for name in {*_reads(node), *made} & alive if last_use.get(name, -1) <= index]
        total -= sum(_size(name, shapes) for name in dead)
        alive.difference_update(dead)
    return ActivationMemory(peak // batch, len(unknown))


def _last_uses(graph: onnx.GraphProto) -> dict[str, int]:
    """Index of the last node that reads each tensor; one past the last node for outputs."""
    last = {name: index for index, node in enumerate(graph.node) for name in _reads(node)}
    last.update((value.name, len(graph.node)) for value in graph.output)
    return last


def _constants(graph: onnx.GraphProto) -> set[str]:
    """Weights and the tensors that follow from them alone; ``""`` is an input left out."""
    known = {"", *(tensor.name for tensor in graph.initializer)}
    known.update(sparse.values.name for sparse in graph.sparse_initializer)
    for node in graph.node:
        if node.op_type not in _DRAWN and all(name in known for name in _reads(node)):
            known.update(node.output)
    return known


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """What a node reads, its subgraphs included: they see the tensors of the outer graph."""
    yield from node.input
    for graph in subgraphs_of(node):
        for inner in graph.node:
            yield from _reads(inner)
        yield from (value.name for value in graph.output)


def _size(name: str, shapes: Shapes) -> int:
    shape = shapes.get(name)
    return 0 if shape is None else packed_bytes(math.prod(shape.sizes), shape.data_type)
