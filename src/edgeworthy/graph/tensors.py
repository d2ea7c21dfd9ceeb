"""Every tensor that a model stores, wherever in the graph it stands.

Rules:

1. All of them are found: initializers, dense and sparse, attributes of nodes, subgraphs,
   functions and training graphs.
2. Sizes are Python integers: a declared size cannot overflow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import onnx
from onnx import TensorProto

#: Bits per element; text has no fixed size.
_BITS: dict[int, int] = {
    TensorProto.BOOL: 8,
    25: 2,  # UINT2 and INT2: onnx names them since 1.20
    26: 2,
    TensorProto.INT4: 4,
    TensorProto.UINT4: 4,
    TensorProto.FLOAT4E2M1: 4,
    TensorProto.INT8: 8,
    TensorProto.UINT8: 8,
    TensorProto.FLOAT8E4M3FN: 8,
    TensorProto.FLOAT8E4M3FNUZ: 8,
    TensorProto.FLOAT8E5M2: 8,
    TensorProto.FLOAT8E5M2FNUZ: 8,
    TensorProto.FLOAT8E8M0: 8,
    TensorProto.INT16: 16,
    TensorProto.UINT16: 16,
    TensorProto.FLOAT16: 16,
    TensorProto.BFLOAT16: 16,
    TensorProto.INT32: 32,
    TensorProto.UINT32: 32,
    TensorProto.FLOAT: 32,
    TensorProto.INT64: 64,
    TensorProto.UINT64: 64,
    TensorProto.DOUBLE: 64,
    TensorProto.COMPLEX64: 64,
    TensorProto.COMPLEX128: 128,
}
_BITS_PER_BYTE = 8


def element_bits(data_type: int) -> int:
    """Bits of one element of an ONNX data type; 0 for text and for what we do not know.

    >>> element_bits(TensorProto.FLOAT), element_bits(TensorProto.INT4)
    (32, 4)
    """
    return _BITS.get(data_type, 0)


def packed_bytes(element_count: int, data_type: int) -> int:
    """Bytes that elements take, types below 8 bits packed.

    >>> packed_bytes(3, TensorProto.INT4)
    2
    """
    return -(-element_count * element_bits(data_type) // _BITS_PER_BYTE)


def element_count(tensor: TensorProto) -> int:
    """Product of the declared dimensions; negative when one of them is."""
    if any(size < 0 for size in tensor.dims):
        return -1
    return math.prod(tensor.dims)


def is_external(tensor: TensorProto) -> bool:
    """Whether the values stand in another file."""
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def graphs_of(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph, then every subgraph, those of functions and of training included."""
    yield from _with_subgraphs(model.graph)
    for function in model.functions:
        yield from _subgraphs(function.node)
    for training in model.training_info:
        yield from _with_subgraphs(training.initialization)
        yield from _with_subgraphs(training.algorithm)


def nodes_of(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of subgraphs and functions included."""
    for graph in graphs_of(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def stored_tensors(model: onnx.ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Every dense tensor with its name; a constant goes by the name of the node's output."""
    for graph in graphs_of(model):
        for tensor in graph.initializer:
            yield tensor.name, tensor
        for sparse in graph.sparse_initializer:
            yield sparse.values.name, sparse.values
            yield f"{sparse.values.name} (indices)", sparse.indices
    for node in nodes_of(model):
        name = node.output[0] if node.output else node.name
        for tensor in _attribute_tensors(node):
            yield name or tensor.name, tensor


def sparse_tensors(model: onnx.ModelProto) -> Iterator[onnx.SparseTensorProto]:
    """Every sparse tensor."""
    for graph in graphs_of(model):
        yield from graph.sparse_initializer
    for node in nodes_of(model):
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor"):
                yield attribute.sparse_tensor
            yield from attribute.sparse_tensors


def subgraphs_of(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs that a node holds (branches of If, bodies of Loop and Scan)."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _with_subgraphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    yield from _subgraphs(graph.node)


def _subgraphs(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for graph in subgraphs_of(node):
            yield from _with_subgraphs(graph)


def _attribute_tensors(node: onnx.NodeProto) -> Iterator[TensorProto]:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for tensor in (*sparse, *attribute.sparse_tensors):
            yield tensor.values
            yield tensor.indices
