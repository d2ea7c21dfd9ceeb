"""``Gemm`` factors go into its constants, and its bias gets one number per column.

Integer kernels know no ``alpha``, and onnxruntime's quantizer drops ``beta`` (seen in 1.32: with
``beta = 2`` the quantized bias is half of what it should be). Once both are 1 neither matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    fresh_name,
    is_standard,
)

_BIAS_INPUT = 2


class NormalizeGemm(Pass):
    """Make ``alpha`` and ``beta`` 1 and the bias ``(columns,)`` where they are constants."""

    name = "normalize-gemm"
    operators = ("Gemm",)

    def call(self, model: ModelProto) -> Rewrite:
        """Rewrite the constants."""
        result = editable(model)
        nodes = [node for node in result.graph.node if is_standard(node, "Gemm")]
        count = sum(_normalized(result, node) for node in nodes)
        if not count:
            return unchanged(model, "no Gemm with factors or a bias of another shape")
        return changed(result, f"normalized {count} Gemm nodes")


def _normalized(model: ModelProto, node: NodeProto) -> bool:
    wiring = Wiring(model.graph)
    weight = _constant(node.input[1], wiring)
    if weight is None:
        return False
    columns = weight.shape[0 if attribute(node, "transB", 0) else 1]
    done = _scaled_weight(model, node, weight)
    return _plain_bias(model, node, columns) or done


def _scaled_weight(model: ModelProto, node: NodeProto, weight: NDArray[Any]) -> bool:
    alpha = attribute(node, "alpha", 1.0)
    if alpha == 1.0:
        return False
    _store(model, node, 1, weight * np.float32(alpha))
    _drop(node, "alpha")
    return True


def _plain_bias(model: ModelProto, node: NodeProto, columns: int) -> bool:
    if len(node.input) <= _BIAS_INPUT or not node.input[_BIAS_INPUT]:
        return False
    bias = _constant(node.input[_BIAS_INPUT], Wiring(model.graph))
    beta = attribute(node, "beta", 1.0)
    if bias is None or (beta == 1.0 and bias.shape == (columns,)):
        return False
    if bias.size != 1 and (bias.size != columns or bias.shape[-1] != columns):
        return False  # a bias per row is not one per column
    plain = np.broadcast_to(bias.reshape(-1) * np.float32(beta), (columns,))
    _store(model, node, _BIAS_INPUT, plain)
    _drop(node, "beta")
    return True


def _constant(name: str, wiring: Wiring) -> NDArray[Any] | None:
    tensor = wiring.constant(name)
    if tensor is None or tensor.data_type != TensorProto.FLOAT:
        return None
    return numpy_helper.to_array(tensor)


def _store(model: ModelProto, node: NodeProto, index: int, values: NDArray[Any]) -> None:
    name = fresh_name(Wiring(model.graph).names(), f"{node.input[index]}.normalized")
    model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
    node.input[index] = name


def _drop(node: NodeProto, name: str) -> None:
    for item in [item for item in node.attribute if item.name == name]:
        node.attribute.remove(item)
