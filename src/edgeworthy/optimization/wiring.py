"""Who makes each tensor of a graph, and who uses it.

Rules:

1. A tensor that an inner graph (of ``If``, ``Loop``, ``Scan``) looks up outside itself is
   *captured*: no pass renames or removes it.
2. The wiring is a snapshot; after an edit, take a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

STANDARD_DOMAINS = ("", "ai.onnx")
_T = TypeVar("_T")


class Wiring:
    """A snapshot of a graph's connections.

    Attributes:
        producers: The node behind each computed tensor.
        consumers: The nodes that read each tensor, in graph order, one entry per reading input.
        initializers: Constants by name.
        inputs: Names of the graph's inputs.
        outputs: Names of the graph's outputs.
        captured: Names that inner graphs look up.
    """

    def __init__(self, graph: GraphProto) -> None:
        self.producers = {name: node for node in graph.node for name in node.output if name}
        self.consumers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                if name:
                    self.consumers.setdefault(name, []).append(node)
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = {value.name for value in graph.input}
        self.outputs = {value.name for value in graph.output}
        holders = [node for node in graph.node if any(True for _ in inner_graphs(node))]
        self.captured = {name for node in holders for name in _captured_names(node)}
        self._inner = {name for node in holders for name in _inner_names(node)}

    def constant(self, name: str) -> TensorProto | None:
        """The initializer behind a name, unless a caller could override it."""
        return None if name in self.inputs else self.initializers.get(name)

    def is_private(self, name: str) -> bool:
        """Whether only nodes of this graph see the tensor."""
        return name not in self.outputs and name not in self.captured

    def has_one_consumer(self, name: str) -> bool:
        """Whether exactly one input of one node reads the tensor and nothing else does."""
        return self.is_private(name) and len(self.consumers.get(name, ())) == 1

    def names(self) -> set[str]:
        """Every name in use, in inner graphs as well: theirs may not be taken either."""
        return {
            *self.producers,
            *self.consumers,
            *self.initializers,
            *self.inputs,
            *self.outputs,
            *self.captured,
            *self._inner,
        }


def editable(model: ModelProto) -> ModelProto:
    """A copy that may be edited."""
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def model_bytes(model: ModelProto) -> bytes:
    """The model as it is stored: the same model gives the same bytes."""
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def fresh_name(taken: set[str], wish: str) -> str:
    """A name that is not taken; it is taken afterwards.

    >>> fresh_name({"w", "w_1"}, "w")
    'w_2'
    """
    name, number = wish, 0
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    taken.add(name)
    return name


def opset_version(model: ModelProto) -> int:
    """Version of the standard operator set; 0 when the model uses none."""
    versions = [item.version for item in model.opset_import if item.domain in STANDARD_DOMAINS]
    return max(versions, default=0)


def is_standard(node: NodeProto, *op_types: str) -> bool:
    """Whether a node is one of these standard operators."""
    return node.domain in STANDARD_DOMAINS and node.op_type in op_types


def attribute(node: NodeProto, name: str, default: _T) -> _T:
    """The value of an attribute, or its default."""
    for item in node.attribute:
        if item.name == name:
            value: _T = onnx.helper.get_attribute_value(item)
            return value
    return default


def inner_graphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that a node carries."""
    for item in node.attribute:
        if item.HasField("g"):
            yield item.g
        yield from item.graphs


def _inner_names(node: NodeProto) -> Iterator[str]:
    """What inner graphs call their own tensors."""
    for graph in inner_graphs(node):
        yield from (value.name for value in graph.input)
        yield from (tensor.name for tensor in graph.initializer)
        for inner in graph.node:
            yield from (name for name in inner.output if name)
            yield from _inner_names(inner)


def names_read(node: NodeProto) -> set[str]:
    """Tensors that a node reads, those that its inner graphs look up included."""
    return {name for name in node.input if name} | set(_captured_names(node))


def replace_uses(graph: GraphProto, old: str, new: str) -> None:
    """Make every node that reads ``old`` read ``new``."""
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new


def remove_nodes(graph: GraphProto, doomed: list[NodeProto]) -> None:
    """Remove nodes of the graph, compared by identity, keeping the order of the others."""
    marks = {id(node) for node in doomed}
    indices = [index for index, node in enumerate(graph.node) if id(node) in marks]
    for index in reversed(indices):
        del graph.node[index]


def sorted_graph(model: ModelProto) -> ModelProto:
    """The same graph with each node after those whose outputs it reads; edits in place."""
    graph = model.graph
    nodes = list(graph.node)  # held, so that identities last
    makers = {name: node for node in nodes for name in node.output if name}
    placed: set[int] = set()
    order: list[NodeProto] = []
    for first in nodes:
        pending = [first]
        while pending:
            node = pending[-1]
            before = [
                makers[name]
                for name in sorted(names_read(node))
                if name in makers and id(makers[name]) not in placed
            ]
            if id(node) in placed or not before:
                pending.pop()
                if id(node) not in placed:
                    placed.add(id(node))
                    order.append(node)
            else:
                pending.extend(before)
    copies = [NodeProto.FromString(node.SerializeToString()) for node in order]
    del graph.node[:]
    graph.node.extend(copies)
    return model


def bypass(graph: GraphProto, node: NodeProto) -> bool:
    """Take out a node whose first output equals its first input; False when it must stay.

    It stays when its output is a graph output that cannot be produced under that name by
    whoever makes the input (a graph input, a constant, another graph output, a captured tensor).
    """
    wiring = Wiring(graph)
    source, result = node.input[0], node.output[0]
    if result in wiring.captured:
        return False
    if result in wiring.outputs:
        producer = wiring.producers.get(source)
        if producer is None or not wiring.is_private(source):
            return False
        producer.output[list(producer.output).index(source)] = result
        replace_uses(graph, source, result)
    else:
        replace_uses(graph, result, source)
    remove_nodes(graph, [node])
    return True


def _captured_names(node: NodeProto) -> Iterator[str]:
    for graph in inner_graphs(node):
        own = {value.name for value in graph.input} | {item.name for item in graph.initializer}
        for inner in graph.node:
            yield from (name for name in inner.input if name and name not in own)
            yield from (name for name in _captured_names(inner) if name not in own)
            own.update(inner.output)
        yield from (value.name for value in graph.output if value.name not in own)
