"""Large look-up tables stored in bytes, and in bytes until a row is looked up.

The table of a language model's words is often half of its file. Each row gets a scale of its own,
which is looked up beside the bytes; the row is multiplied out behind the look-up. So the engine
holds bytes in memory. Multiplied out before the look-up, it would compute the whole table in float
when it loads the file, and hold that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.graph.tensors import element_count
from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.quantization.weight_scales import full_scales
from edgeworthy.optimization.wiring import Wiring, attribute, editable, fresh_name, is_standard

_MATRIX_RANK = 2
_ROWS_AT_A_TIME = 1024
_LARGEST = 127
#: Tables of fewer numbers are not worth their noise.
LARGE_TABLE = 1 << 16


class StoreInt8Tables(Pass):
    """Store tables that are looked up row by row as int8, a scale per row.

    Args:
        float_nodes: Names of look-ups whose tables stay as they are.
    """

    name = "store-int8-tables"
    operators = ("Gather",)
    keeps_outputs = False

    def __init__(self, float_nodes: tuple[str, ...] = ()) -> None:
        self._float_nodes = frozenset(float_nodes)

    def call(self, model: ModelProto) -> Rewrite:
        """Replace the look-ups of each table."""
        wiring = Wiring(model.graph)
        tables = {
            tensor.name: tensor
            for tensor in model.graph.initializer
            if self._is_table(tensor, wiring)
        }
        if not tables:
            return unchanged(model, "no large table of float32 rows")
        result = editable(model)
        taken = wiring.names() | {node.name for node in model.graph.node}
        stored, distances = {}, []
        for name, tensor in tables.items():
            parts = _in_bytes(tensor, taken)
            result.graph.initializer.extend(parts[:2])
            stored[name] = (parts[0].name, parts[1].name)
            distances.append(parts[2])
        nodes: list[NodeProto] = []
        for node in model.graph.node:
            looked_up = is_standard(node, "Gather") and node.input[0] in stored
            nodes.extend(_replaced(node, *stored[node.input[0]], taken) if looked_up else [node])
        del result.graph.node[:]
        result.graph.node.extend(nodes)
        kept = [each for each in result.graph.initializer if each.name not in stored]
        del result.graph.initializer[:]
        result.graph.initializer.extend(kept)
        detail = f"{len(tables)} tables in bytes; rounding {min(distances):.0f} dB below them"
        return changed(result, detail)

    def _is_table(self, tensor: TensorProto, wiring: Wiring) -> bool:
        name = tensor.name
        readers = wiring.consumers.get(name, [])
        return (
            tensor.data_type == TensorProto.FLOAT
            and len(tensor.dims) == _MATRIX_RANK
            and element_count(tensor) >= LARGE_TABLE
            and wiring.constant(name) is not None
            and wiring.is_private(name)
            and bool(readers)
            and all(self._looks_up(reader, name) for reader in readers)
        )

    def _looks_up(self, reader: NodeProto, name: str) -> bool:
        return (
            is_standard(reader, "Gather")
            and reader.input[0] == name
            and attribute(reader, "axis", 0) == 0
            and reader.name not in self._float_nodes
        )


def _in_bytes(tensor: TensorProto, taken: set[str]) -> tuple[TensorProto, TensorProto, float]:
    """The bytes, the scales ``(rows, 1)``, and the noise against the numbers in dB."""
    values = numpy_helper.to_array(tensor)
    integers = np.empty(values.shape, dtype=np.int8)
    scales = np.empty((len(values), 1), dtype=np.float32)
    noise = signal = 0.0
    for first in range(0, len(values), _ROWS_AT_A_TIME):  # a copy of all would be large
        rows = slice(first, first + _ROWS_AT_A_TIME)
        some = values[rows]
        scales[rows] = full_scales(some, axis=0)[:, None]
        integers[rows] = np.clip(np.rint(some / scales[rows]), -_LARGEST, _LARGEST)
        difference = integers[rows] * scales[rows] - some
        noise += float(np.square(difference).sum(dtype=np.float64))
        signal += float(np.square(some).sum(dtype=np.float64))
    stored, steps = (fresh_name(taken, f"{tensor.name}.{part}") for part in ("int8", "scale"))
    decibels = 10 * math.log10(signal / noise) if noise and signal else math.inf
    return (
        numpy_helper.from_array(integers, stored),
        numpy_helper.from_array(scales, steps),
        decibels,
    )


def _replaced(node: NodeProto, stored: str, steps: str, taken: set[str]) -> Iterator[NodeProto]:
    """Bytes and scale looked up, then multiplied."""
    rows, row_steps, wide = (
        fresh_name(taken, f"{node.output[0]}.{part}") for part in ("bytes", "steps", "wide")
    )
    place = node.input[1]
    names = [
        fresh_name(taken, f"{node.name or node.output[0]}.{part}")
        for part in ("scale", "cast", "product")
    ]
    yield helper.make_node("Gather", [stored, place], [rows], name=node.name)
    yield helper.make_node("Gather", [steps, place], [row_steps], name=names[0])
    yield helper.make_node("Cast", [rows], [wide], name=names[1], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [wide, row_steps], [node.output[0]], name=names[2])
