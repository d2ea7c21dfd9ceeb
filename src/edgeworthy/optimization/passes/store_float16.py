"""Weights stored in half precision; arithmetic stays in float32.

The engine turns them back once, when it loads the file: a file of half the size that computes as
fast as before. Most CPUs have no arithmetic in float16, so nothing more is to be won there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name

#: A node costs about as many bytes as it saves below this.
SMALLEST = 128
_LARGEST = float(np.finfo(np.float16).max)


class StoreFloat16(Pass):
    """Store every larger float32 constant as float16, with a ``Cast`` back."""

    name = "store-float16"
    keeps_outputs = False

    def call(self, model: ModelProto) -> Rewrite:
        """Put the casts before everything else."""
        result = editable(model)
        wiring = Wiring(result.graph)
        taken = wiring.names()
        casts: list[NodeProto] = []
        beyond = 0
        for tensor in result.graph.initializer:
            if not is_storable(tensor, wiring):
                continue
            values = numpy_helper.to_array(tensor)
            if not _fits(values):
                beyond += 1
                continue
            name, stored = tensor.name, fresh_name(taken, f"{tensor.name}.float16")
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
        if not casts:
            return unchanged(model, "no larger float32 constants that float16 can hold")
        prepend(result, casts)
        left = f"; {beyond} have numbers beyond its range" if beyond else ""
        return changed(result, f"stored {len(casts)} constants as float16{left}")


def is_storable(tensor: TensorProto, wiring: Wiring) -> bool:
    """Whether a constant is float32, large, and nobody else's business."""
    name = tensor.name
    return (
        tensor.data_type == TensorProto.FLOAT
        and int(np.prod(tensor.dims)) >= SMALLEST
        and name not in wiring.inputs | wiring.outputs
    )


def prepend(model: ModelProto, nodes: list[NodeProto]) -> None:
    """Put nodes before the others, whose inputs they make."""
    others = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *others])


def _fits(values: NDArray[Any]) -> bool:
    return bool(np.abs(values).max() <= _LARGEST)
