"""What a graph computes, apart from what its parts are called.

Rules:

1. Two graphs of one digest run the same operators on the same constants, wired the same way, so
   that an engine which rewrites nothing gives the same bits for both: one run stands for either.
2. Names inside, descriptions, metadata, and what nobody reads, are not looked at. Names of inputs
   and outputs are, and so are types of inputs, operator sets and every attribute.
3. A constant is not read again where the graph that was looked at before has an equal one: to
   compare takes a fraction of the time, and most steps leave most constants alone.
4. Where the graph holds other graphs, functions or sparse constants, the digest is that of its
   bytes: nothing is claimed of what was not looked into.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from onnx import AttributeProto, ModelProto, NodeProto, TensorProto

from edgeworthy.files import digest_bytes
from edgeworthy.optimization.wiring import inner_graphs, model_bytes


@dataclass(frozen=True)
class Computation:
    """What a graph computes.

    Attributes:
        digest: Equal for graphs that compute the same in the same way.
        model: The graph; must not be edited afterwards.
        constants: Digests of its constants, by name.
    """

    digest: str
    model: ModelProto
    constants: Mapping[str, bytes]

    @classmethod
    def of(cls, model: ModelProto, before: Computation | None = None) -> Computation:
        """Look at a graph.

        Args:
            model: The graph.
            before: Another one, with constants of which many are the same.
        """
        nested = any(True for node in model.graph.node for _ in inner_graphs(node))
        if nested or model.functions or model.graph.sparse_initializer:
            return cls(digest_bytes(model_bytes(model)), model, {})
        constants = _constants_of(model, before)
        return cls(_digest_of(model, dict(constants)), model, constants)


def computation_digest(model: ModelProto) -> str:
    """A digest that graphs share which compute the same in the same way.

    >>> computation_digest(ModelProto()) == computation_digest(ModelProto(doc_string="empty"))
    True
    """
    return Computation.of(model).digest


def _constants_of(model: ModelProto, before: Computation | None) -> dict[str, bytes]:
    seen: dict[str, TensorProto] = {}
    if before is not None and before.constants:
        seen = {tensor.name: tensor for tensor in before.model.graph.initializer}
    return {
        tensor.name: before.constants[tensor.name]
        if before is not None and seen.get(tensor.name) == tensor
        else _of_tensor(tensor)
        for tensor in model.graph.initializer
    }


def _digest_of(model: ModelProto, known: dict[str, bytes]) -> str:
    for value in model.graph.input:
        kind = value.type.SerializeToString(deterministic=True)
        known[value.name] = _hashed(b"input", value.name.encode(), kind, known.get(value.name, b""))
    for node in model.graph.node:
        whole = _of_node(node, known)
        for index, name in enumerate(node.output):
            known[name] = _hashed(whole, str(index).encode())
    sets = sorted(f"{item.domain}:{item.version}" for item in model.opset_import)
    results = [part for value in model.graph.output for part in _of_result(value.name, known)]
    head = [str(model.ir_version).encode(), *(item.encode() for item in sets)]
    inputs = [known[value.name] for value in model.graph.input]
    return f"sha256:{_hashed(*head, b'takes', *inputs, b'gives', *results).hex()}"


def _of_result(name: str, known: dict[str, bytes]) -> tuple[bytes, bytes]:
    return name.encode(), known.get(name, b"")


def _of_node(node: NodeProto, known: dict[str, bytes]) -> bytes:
    attributes = [
        _of_attribute(item) for item in sorted(node.attribute, key=lambda item: item.name)
    ]
    # A name that nobody makes is no graph at all; it is kept, so that it equals nothing else.
    sources = [known.get(name, name.encode()) for name in node.input]
    kind = (node.domain.encode(), node.op_type.encode(), str(len(node.output)).encode())
    return _hashed(b"node", *kind, b"attributes", *attributes, b"inputs", *sources)


def _of_attribute(item: AttributeProto) -> bytes:
    bare = AttributeProto()
    bare.CopyFrom(item)
    bare.ClearField("doc_string")
    data: bytes = bare.SerializeToString(deterministic=True)
    return data


def _of_tensor(tensor: TensorProto) -> bytes:
    if tensor.HasField("raw_data"):
        shape = f"{tensor.data_type}:{list(tensor.dims)}".encode()
        return _hashed(b"raw", shape, tensor.raw_data)
    bare = TensorProto()
    bare.CopyFrom(tensor)
    for field in ("name", "doc_string", "metadata_props"):
        bare.ClearField(field)
    return _hashed(b"tensor", bare.SerializeToString(deterministic=True))


def _hashed(*parts: bytes) -> bytes:
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.digest()
